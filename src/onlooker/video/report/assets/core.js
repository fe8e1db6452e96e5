// Data, the state all parts share, and small helpers. Text from videos and people reaches the page through textContent only.
const report = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);

const state = {
  video: null, // one of report.videos
  hidden: new Set(), // categories switched off
  words: [], // the filter, in lower case words
  shown: new Set(), // tracklets that pass both; kept because every drawn frame asks
  chosen: null, // number of the tracklet last clicked
};

function el(tag, options = {}, ...children) {
  const node = document.createElement(tag);
  if (options.class) node.className = options.class;
  if (options.text !== undefined) node.textContent = options.text;
  if (options.title) node.title = options.title;
  for (const [name, value] of Object.entries(options.attributes ?? {})) node.setAttribute(name, value);
  if (options.onclick) node.addEventListener("click", options.onclick);
  if (tag === "button") node.type = "button";
  node.append(...children);
  return node;
}

function fill(parent, ...children) {
  parent.replaceChildren(...children);
}

const seconds = (t) => `${t.toFixed(2)} s`;
const span = (from, to) => (to - from < 0.005 ? seconds(from) : `${from.toFixed(2)}–${to.toFixed(2)} s`);
const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

function clockText(t, duration) {
  const minutes = (value) => `${Math.floor(value / 60)}:${(value % 60).toFixed(2).padStart(5, "0")}`;
  return duration >= 60 ? `${minutes(t)} / ${minutes(duration)}` : `${t.toFixed(2)} / ${duration.toFixed(2)} s`;
}

const title = (tracklet) => `${tracklet.number} ${tracklet.label ?? tracklet.category}`;

// Each filter word must begin a word of the tracklet (its number counts as a word); "car" shall not find "scarf".
function searchable(tracklet) {
  const told = [tracklet.number, tracklet.label, tracklet.category, tracklet.direction, tracklet.appearance, tracklet.motion];
  return [...told, ...tracklet.colors, ...tracklet.tags].filter((part) => part !== null).join(" ").toLowerCase();
}

function matchesWords(text) {
  const parts = text.toLowerCase().split(/[^\p{L}\p{N}]+/u);
  return state.words.every((word) => parts.some((part) => part.startsWith(word) && (!/^\d+$/.test(word) || part === word)));
}

function updateShown() {
  const passes = (tracklet) => !state.hidden.has(tracklet.category) && matchesWords(searchable(tracklet));
  state.shown = new Set(state.video.tracklets.filter(passes));
}

const isShown = (tracklet) => state.shown.has(tracklet);

// The box of a tracklet at t: interpolated between stored boxes, nothing where it was not seen.
function boxAt(tracklet, t, slack) {
  for (const path of tracklet.paths) {
    const last = path.length - 5;
    if (t < path[0] - slack || t > path[last] + slack) continue;
    if (t <= path[0]) return path.slice(1, 5);
    if (t >= path[last]) return path.slice(last + 1, last + 5);
    let low = 0;
    let high = path.length / 5 - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (path[middle * 5] <= t) low = middle;
      else high = middle;
    }
    const a = low * 5;
    const b = high * 5;
    const share = (t - path[a]) / (path[b] - path[a]);
    return [1, 2, 3, 4].map((edge) => path[a + edge] + share * (path[b + edge] - path[a + edge]));
  }
  return null;
}
