/** The page that is served: hears the run by server-sent events, and posts what the buttons ask for. */
import "./theme.js";
import { draw, onCommand, take } from "./view.js";

const stream = { source: null, lost: 0 };

/** Asked again where the connection breaks: browsers don't do that for a POST, and twice is as good as once. */
async function command(name) {
  for (let tries = 0; tries < 3; tries++) {
    try {
      return await fetch("/command", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ command: name }),
      });
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

onCommand(command);

function connect() {
  if (stream.source !== null) return;
  stream.source = new EventSource("/events");
  stream.source.onmessage = (event) => {
    clearTimeout(stream.lost);
    stream.lost = 0;
    take(JSON.parse(event.data));
  };
  stream.source.onerror = () => {
    // between fits each stream ends after its one message: only a longer silence is news
    if (stream.lost === 0) {
      stream.lost = setTimeout(() => take(null), 5000);
    }
    if (stream.source.readyState !== EventSource.CLOSED) return;
    stream.source = null;
    setTimeout(connect, 2000);
  };
}
// a browser opens few connections to a server: pages in the background leave theirs to others
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) return connect();
  stream.source?.close();
  stream.source = null;
});
draw();
if (!document.hidden) connect();
