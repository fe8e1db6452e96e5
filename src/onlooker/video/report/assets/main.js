// Puts the parts together: tabs, lists, keys, and what a click on a piece of evidence does.
let overlay = null;
let timeline = null;
const player = new Player(() => {
  if (state.video === null) return;
  byId("clock").textContent = clockText(player.time, state.video.duration);
  byId("play").textContent = player.running ? "❚❚" : "▶";
  byId("play").setAttribute("aria-label", player.running ? "Pause" : "Play");
  overlay?.draw();
  timeline?.tick();
});
overlay = new Overlay(player);
timeline = new Timeline(player);

const say = (text) => (byId("status").textContent = text);

function openVideo(item) {
  if (state.video === item) return;
  state.video = item;
  state.hidden.clear();
  state.chosen = null;
  updateShown();
  overlay.fit(item);
  player.load(item);
  byId("sound-label").hidden = !item.hasAudio;
  for (const tab of byId("video-tabs").children) markTab(tab, tab.dataset.name === item.name);
  buildCategories();
  refresh();
}

function markTab(tab, chosen) {
  tab.setAttribute("aria-selected", String(chosen));
  tab.tabIndex = chosen ? 0 : -1;
}

function buildCategories() {
  const counts = new Map();
  for (const { category } of state.video.tracklets) counts.set(category, (counts.get(category) ?? 0) + 1);
  const chips = [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([category, count]) => {
    const chip = el("button", { class: "chip", attributes: { "aria-pressed": "true" } }, category, el("span", { class: "count", text: `${count}` }));
    chip.addEventListener("click", () => {
      if (!state.hidden.delete(category)) state.hidden.add(category);
      chip.setAttribute("aria-pressed", String(!state.hidden.has(category)));
      refresh();
    });
    return chip;
  });
  fill(byId("categories"), ...chips);
}

function refresh() {
  const item = state.video;
  updateShown();
  const shown = item.tracklets.filter(isShown);
  const cards = shown.map(trackletCard);
  fill(byId("panel-tracklets"), ...(cards.length > 0 ? cards : [nothing(item.tracklets.length > 0 ? "No tracklet matches." : "No objects were found in this video.")]));
  const words = wordButtons((word) => {
    player.seek(word.from);
    overlay.flash(null, word.box);
    say(`${word.text}, ${seconds(word.from)}`);
  });
  fill(byId("panel-words"), ...(words.length > 0 ? words : [nothing("No words were heard or read.")]));
  byId("tab-tracklets").textContent = `Tracklets ${shown.length === item.tracklets.length ? shown.length : `${shown.length}/${item.tracklets.length}`}`;
  byId("tab-words").textContent = `Heard and read ${words.length}`;
  timeline.build();
  overlay.draw();
}

function choose(tracklet, { seek }) {
  state.chosen = tracklet.number;
  if (seek) player.seek(boxAt(tracklet, player.time, 0) === null ? (tracklet.best ?? tracklet.start) : player.time);
  overlay.flash(tracklet, null);
  for (const node of document.querySelectorAll("[data-number]")) {
    const chosen = Number(node.dataset.number) === tracklet.number;
    node.classList.toggle("chosen", chosen);
    if (chosen) node.scrollIntoView({ block: "nearest" });
  }
  say(`${title(tracklet)}, ${span(tracklet.start, tracklet.end)}`);
}

function showEvidence(item, button) {
  const video = report.videos.find((one) => one.name === item.video);
  if (video === undefined) {
    say(`${item.video} is not part of this report`);
    return;
  }
  openVideo(video);
  player.pause();
  player.seek(item.frame_s ?? item.start_s ?? 0);
  const tracklet = video.tracklets.find((one) => one.number === item.tracklet) ?? null;
  if (tracklet) choose(tracklet, { seek: false });
  overlay.flash(tracklet, item.box_xyxy_px);
  for (const other of document.querySelectorAll(".evidence .seen")) other.classList.remove("seen");
  button.classList.add("seen");
  say(`${item.video}, ${tracklet ? title(tracklet) : item.kind}, ${seconds(player.time)}`);
}

function openPanel(name) {
  for (const one of ["answers", "tracklets", "words"]) {
    markTab(byId(`tab-${one}`), one === name);
    byId(`panel-${one}`).hidden = one !== name;
  }
  byId(`panel-${name}`).querySelector(".chosen")?.scrollIntoView({ block: "nearest" });
}

// Arrow keys move between the tabs of one list of tabs.
function walkTabs(list) {
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const tabs = [...list.children];
    const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
    next.focus();
    next.click();
    event.preventDefault();
    event.stopPropagation();
  });
}

const KEYS = {
  " ": () => player.toggle(),
  k: () => player.toggle(),
  j: () => player.seek(player.time - 1),
  l: () => player.seek(player.time + 1),
  ArrowLeft: () => player.seek(player.time - state.video.interval),
  ArrowRight: () => player.seek(player.time + state.video.interval),
  Home: () => player.seek(0),
  End: () => player.seek(state.video.duration),
  "/": () => byId("filter").focus(),
};

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest("input[type=search], select, [role=tab]");
  // Space and arrows on a focused button or field belong to that control.
  if (typing || (event.key === " " && event.target.closest("button, input, summary"))) return;
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (act === undefined) return;
  event.preventDefault();
  act();
}

function start() {
  byId("title").textContent = report.title;
  const tabs = report.videos.map((item) => {
    const tab = el("button", { text: item.name, title: item.name, attributes: { role: "tab" }, onclick: () => openVideo(item) });
    tab.dataset.name = item.name;
    return tab;
  });
  fill(byId("video-tabs"), ...tabs);
  const cards = report.answers.map((answer) => answerCard(answer, showEvidence));
  fill(byId("panel-answers"), ...(cards.length > 0 ? cards : [nothing("No questions were asked yet.")]));
  byId("tab-answers").textContent = `Questions ${cards.length}`;
  for (const name of ["answers", "tracklets", "words"]) byId(`tab-${name}`).addEventListener("click", () => openPanel(name));
  openPanel(cards.length > 0 ? "answers" : "tracklets");
  walkTabs(byId("video-tabs"));
  walkTabs(byId("panel-tabs"));
  byId("play").addEventListener("click", () => player.toggle());
  byId("back").addEventListener("click", () => player.seek(player.time - 1));
  byId("forward").addEventListener("click", () => player.seek(player.time + 1));
  byId("sound").addEventListener("change", (event) => (player.video.muted = !event.target.checked));
  byId("rate").addEventListener("change", (event) => player.setRate(Number(event.target.value)));
  for (const id of ["show-boxes", "show-trails"]) byId(id).addEventListener("change", () => overlay.draw());
  byId("file").addEventListener("change", (event) => event.target.files[0] && player.openFile(event.target.files[0]));
  byId("filter").addEventListener("input", (event) => {
    state.words = event.target.value.toLowerCase().split(/\s+/).filter((word) => word);
    refresh();
  });
  document.addEventListener("keydown", onKey);
  openVideo(report.videos[0]);
}

start();
