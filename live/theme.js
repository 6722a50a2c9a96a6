/** Light or dark: as the system has it, unless the button chose. */

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
}

/** Storage may be closed to pages; nothing here depends on it. */
function remember(key, value) {
  try {
    if (value === undefined) return localStorage.getItem(key);
    localStorage.setItem(key, value);
  } catch {
    // forgotten on reload, then
  }
  return null;
}

const dark = matchMedia("(prefers-color-scheme: dark)");
setTheme(remember("anneal-theme") ?? (dark.matches ? "dark" : "light"));
dark.addEventListener("change", () => {
  if (remember("anneal-theme") === null) setTheme(dark.matches ? "dark" : "light");
});
document.getElementById("theme").addEventListener("click", () => {
  const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  remember("anneal-theme", theme);
  setTheme(theme);
});
