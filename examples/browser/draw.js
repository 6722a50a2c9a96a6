/** A canvas to draw a digit on, and what the net makes of it. */
import { digitOf } from "./digit.ts";

const $ = (id) => document.getElementById(id);
const canvas = $("canvas"), context = canvas.getContext("2d"), SIDE = canvas.width;

/** Strokes of the pen; or a picture of the test set, and what it is. */
let strokes = [], sample = null;
/** Whether a picture is being looked at, and whether another one came meanwhile. */
let looking = false, again = false;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);

/** 28 * 28 bytes as an image, paper transparent. */
function imageOf(picture, [red, green, blue]) {
  const image = new ImageData(28, 28);
  picture.forEach((ink, i) => image.data.set([red, green, blue, ink], 4 * i));
  return image;
}

function redraw() {
  context.clearRect(0, 0, SIDE, SIDE);
  if (sample !== null) {
    const dark = document.documentElement.dataset.theme === "dark";
    const small = new OffscreenCanvas(28, 28);
    small.getContext("2d").putImageData(imageOf(sample.picture, dark ? [230, 237, 243] : [23, 32, 42]), 0, 0);
    context.drawImage(small, 0, 0, SIDE, SIDE);
  }
  Object.assign(context, { lineWidth: 20, lineCap: "round", lineJoin: "round", strokeStyle: colour("--text") });
  for (const points of strokes) {
    context.beginPath();
    context.moveTo(...points[0]);
    for (const point of points.length === 1 ? points : points.slice(1)) context.lineTo(...point);
    context.stroke();
  }
}

function showSeen(picture) {
  const seen = $("seen").getContext("2d");
  seen.clearRect(0, 0, 28, 28);
  if (picture !== null) seen.putImageData(imageOf(picture, [255, 255, 255]), 0, 0);
}

function showProbabilities(probabilities) {
  const best = probabilities === null ? -1 : probabilities.indexOf(Math.max(...probabilities));
  [...$("probabilities").children].forEach((li, digit) => {
    const p = probabilities?.[digit] ?? 0, percent = `${(100 * p).toFixed(p > 0.9995 || p < 0.0005 ? 0 : 1)} %`;
    li.className = digit === best ? "best" : "";
    li.querySelector("i").style.width = `${100 * p}%`;
    li.querySelector("em").textContent = probabilities === null ? "" : percent;
  });
  return best;
}

function say(...parts) {
  $("answer").replaceChildren(...parts);
}

/** What the net says of what is drawn; `recognise` gives its probabilities, or null where there is no net yet. */
async function look(recognise) {
  if (looking) return void (again = true);
  const picture = sample?.picture ?? digitOf(strokes, SIDE);
  showSeen(picture);
  if (picture === null) return;
  looking = true;
  try {
    const asked = sample, found = await recognise(picture);
    const best = showProbabilities(found?.probabilities ?? null);
    if (found === null) return say("There is no net yet: train one first.");
    const digit = document.createElement("b");
    digit.textContent = String(best);
    const truth = asked === null ? "" : `, and it is ${asked.digit}`;
    say("It is read as ", digit, truth, found.trained ? "" : " (by a net that is not trained yet)");
  } catch (error) {
    say(error.message);
  } finally {
    looking = false;
    if (again) {
      again = false;
      void look(recognise);
    }
  }
}

/** Looks again: the net is another one. */
let lookAgain = () => {};
export const changed = () => lookAgain();

/** Starts it: `recognise` gives probabilities of a picture, `takeSample` a picture of the test set. */
export function startDrawing({ recognise, takeSample }) {
  for (let digit = 0; digit < 10; digit++) {
    const li = document.createElement("li"), bar = document.createElement("span");
    bar.append(document.createElement("i"));
    li.append(String(digit), bar, document.createElement("em"));
    $("probabilities").append(li);
  }
  const show = () => {
    redraw();
    void look(recognise);
  };
  lookAgain = () => {
    if (sample !== null || strokes.length > 0) void look(recognise);
  };
  const at = (event) => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    return [(event.clientX - left) * SIDE / width, (event.clientY - top) * SIDE / height];
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    sample = null;
    strokes.push([at(event)]);
    show();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    for (const each of event.getCoalescedEvents?.() ?? [event]) strokes.at(-1).push(at(each));
    show();
  });
  const clear = () => {
    [strokes, sample] = [[], null];
    redraw();
    showSeen(null);
    showProbabilities(null);
    say("Draw here, also while the net is trained.");
  };
  $("clear").addEventListener("click", clear);
  $("sample").addEventListener("click", async () => {
    clear();
    sample = await takeSample();
    show();
  });
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}
