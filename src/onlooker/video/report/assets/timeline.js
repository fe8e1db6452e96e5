// Lanes under the player: shots, words, sounds, and one lane per tracklet. A click anywhere seeks.
class Timeline {
  constructor(player) {
    this.player = player;
    this.root = byId("timeline");
    this.lanes = byId("lanes");
    this.root.addEventListener("pointerdown", (event) => this.press(event));
    this.root.addEventListener("pointermove", (event) => {
      if (this.dragging) this.player.seek(this.timeOf(event.clientX));
    });
    for (const name of ["pointerup", "pointercancel"]) this.root.addEventListener(name, () => (this.dragging = false));
    new ResizeObserver(() => this.layout()).observe(this.lanes);
  }

  build() {
    const item = state.video;
    const rows = [this.lane("shots", item.shots.map(([from, to], at) => this.bar("shot", from, to, `${at + 1}`, `shot ${at + 1}`)))];
    if (item.speech.length > 0) {
      rows.push(this.lane("speech", item.speech.map(([from, to, text]) => this.bar("speech", from, to, text, `“${text}”`))));
    }
    if (item.text.length > 0) {
      rows.push(this.lane("words seen", item.text.map(([from, to, text]) => this.bar("text", from, to, text, text))));
    }
    if (item.sounds.length > 0) rows.push(this.lane("sound", item.sounds.map((sound) => this.soundBar(sound))));
    for (const tracklet of item.tracklets.filter(isShown)) rows.push(this.trackletLane(tracklet));
    fill(this.lanes, ...rows);
    this.layout();
    this.root.setAttribute("aria-valuemax", item.duration.toFixed(2));
  }

  lane(name, bars) {
    return el("div", { class: "lane" }, el("span", { class: "lane-name", text: name }), el("div", { class: "track" }, ...bars));
  }

  bar(kind, from, to, text, told) {
    const length = state.video.duration;
    const width = (Math.max(to - from, 0) / length) * 100;
    const node = el("div", { class: `bar ${kind}${width < 2 ? " thin" : ""}`, title: `${told}, ${span(from, to)}`, text: width < 2 ? "" : text });
    node.style.left = `${(clamp(from, 0, length) / length) * 100}%`;
    node.style.width = `${width}%`;
    return node;
  }

  soundBar([from, to, label, level]) {
    const node = this.bar("sound", from, to, "", `${label}, ${level.toFixed(0)} dB`);
    // Height by loudness: -60 dB and below is a line, 0 dB fills the lane.
    node.style.top = `${clamp(-level / 60, 0, 0.86) * 100}%`;
    return node;
  }

  trackletLane(tracklet) {
    const bars = tracklet.gaps.map(([from, to, kind, probability]) =>
      this.bar("gap", from, to, "", `not seen (${kind}); same object with probability ${probability.toFixed(2)}`));
    for (const path of tracklet.paths) {
      const end = path[path.length - 5] + state.video.interval;
      const bar = this.bar("thin", path[0], Math.min(end, state.video.duration), "", title(tracklet));
      bar.style.background = tracklet.color;
      bars.push(bar);
    }
    const dot = el("span", { class: "dot" });
    dot.style.background = tracklet.color;
    const name = el("button", { class: "lane-name", title: title(tracklet), onclick: () => choose(tracklet, { seek: true }) }, dot, title(tracklet));
    const row = el("div", { class: "lane" }, name, el("div", { class: "track" }, ...bars));
    row.dataset.number = tracklet.number;
    row.classList.toggle("chosen", tracklet.number === state.chosen);
    return row;
  }

  // Where seconds lie, in pixels of the timeline.
  area() {
    const track = this.lanes.querySelector(".track").getBoundingClientRect();
    const outer = this.root.getBoundingClientRect();
    return { left: track.left - outer.left - this.root.clientLeft, width: track.width, start: track.left };
  }

  layout() {
    if (state.video === null || this.lanes.firstChild === null) return;
    const { width } = this.area();
    byId("ruler").style.setProperty("--gutter", `${this.lanes.offsetWidth - this.lanes.clientWidth}px`);
    const length = state.video.duration;
    const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];
    const step = steps.find((candidate) => (candidate / length) * width >= 64) ?? length;
    const marks = [];
    for (let at = 0; at * step <= length + 1e-9; at += 1) {
      const t = at * step;
      const decimals = step < 1 ? 1 : 0;
      const mark = el("span", { text: length >= 60 ? `${Math.floor(t / 60)}:${String(Math.round(t % 60)).padStart(2, "0")}` : `${t.toFixed(decimals)}` });
      mark.style.left = `${(t / length) * 100}%`;
      if (at === 0) mark.className = "first";
      else if (t / length > 0.97) mark.className = "last";
      marks.push(mark);
    }
    fill(byId("ruler"), ...marks);
    this.tick();
  }

  tick() {
    if (state.video === null || this.lanes.firstChild === null) return;
    const { left, width } = this.area();
    byId("playhead").style.left = `${left + (this.player.time / state.video.duration) * width}px`;
    this.root.setAttribute("aria-valuenow", this.player.time.toFixed(2));
    this.root.setAttribute("aria-valuetext", seconds(this.player.time));
  }

  timeOf(clientX) {
    const { start, width } = this.area();
    return clamp((clientX - start) / width, 0, 1) * state.video.duration;
  }

  press(event) {
    if (event.target.closest(".lane-name") || event.button !== 0) return;
    if (event.clientX < this.area().start - 4) return;
    this.dragging = true;
    this.root.setPointerCapture(event.pointerId);
    this.player.seek(this.timeOf(event.clientX));
    const number = event.target.closest(".bar") && event.target.closest(".lane")?.dataset.number;
    const tracklet = number && state.video.tracklets.find((one) => one.number === Number(number));
    if (tracklet) choose(tracklet, { seek: false });
  }
}
