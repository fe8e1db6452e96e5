// Boxes, trails and flashes on a canvas above the picture.
const TRAIL_S = 1.2;
const FLASH_MS = 1800;

class Overlay {
  constructor(player) {
    this.player = player;
    this.canvas = byId("overlay");
    this.flashes = [];
    this.canvas.addEventListener("click", (event) => this.pick(event));
    new ResizeObserver(() => this.draw()).observe(byId("stage"));
  }

  fit(item) {
    const stage = byId("stage");
    stage.style.aspectRatio = `${item.width} / ${item.height}`;
    stage.style.maxWidth = `calc(52vh * ${item.width / item.height})`;
  }

  // Shows a box for a moment in thick strokes: the object that a piece of evidence is about.
  flash(tracklet, box) {
    this.flashes = [{ tracklet, box, until: performance.now() + FLASH_MS }];
    this.canvas.dataset.flash = JSON.stringify({ tracklet: tracklet?.number ?? null, box: box ?? null });
    const step = () => {
      this.draw();
      if (this.flashes.length > 0) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  draw() {
    const item = state.video;
    if (item === null) return;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [this.canvas.clientWidth * ratio, this.canvas.clientHeight * ratio];
    if (this.canvas.width !== Math.round(width) || this.canvas.height !== Math.round(height)) {
      this.canvas.width = Math.round(width);
      this.canvas.height = Math.round(height);
    }
    const pen = this.canvas.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const scale = this.canvas.width / item.width;
    const t = this.player.time;
    const now = performance.now();
    this.flashes = this.flashes.filter((flash) => flash.until > now);
    if (byId("show-boxes").checked) {
      for (const tracklet of item.tracklets) {
        if (isShown(tracklet)) this.drawTracklet(pen, tracklet, t, scale, ratio);
      }
    }
    for (const flash of this.flashes) this.drawFlash(pen, flash, t, scale, ratio, now);
  }

  drawTracklet(pen, tracklet, t, scale, ratio) {
    const box = boxAt(tracklet, t, state.video.interval / 2 + 0.001);
    if (box === null) return;
    if (byId("show-trails").checked) this.drawTrail(pen, tracklet, t, scale, ratio);
    const [x1, y1, x2, y2] = box.map((edge) => edge * scale);
    pen.strokeStyle = tracklet.color;
    pen.lineWidth = (tracklet.number === state.chosen ? 3.5 : 2) * ratio;
    pen.strokeRect(x1, y1, x2 - x1, y2 - y1);
    // In a crowd names would hide people: a narrow box gets its number only.
    pen.font = labelFont(ratio);
    const fits = tracklet.number === state.chosen || pen.measureText(title(tracklet)).width < 1.6 * (x2 - x1);
    this.drawLabel(pen, fits ? title(tracklet) : `${tracklet.number}`, tracklet.color, x1, y1, ratio);
  }

  drawLabel(pen, text, color, x, y, ratio) {
    pen.font = labelFont(ratio);
    const width = pen.measureText(text).width + 8 * ratio;
    const height = 17 * ratio;
    const left = clamp(x - ratio, 0, Math.max(0, this.canvas.width - width));
    const top = y >= height ? y - height : y;
    pen.fillStyle = color;
    pen.fillRect(left, top, width, height);
    pen.fillStyle = inkOn(color);
    pen.textBaseline = "middle";
    pen.fillText(text, left + 4 * ratio, top + height / 2);
  }

  drawTrail(pen, tracklet, t, scale, ratio) {
    pen.strokeStyle = tracklet.color;
    pen.lineWidth = 2 * ratio;
    let before = null;
    const step = 0.06;
    for (let at = t - TRAIL_S; at <= t + 0.001; at += step) {
      const box = boxAt(tracklet, at, 0.001);
      const point = box && [((box[0] + box[2]) / 2) * scale, ((box[1] + box[3]) / 2) * scale];
      if (before && point) {
        pen.globalAlpha = clamp(1 - (t - at) / TRAIL_S, 0.05, 1) * 0.8;
        pen.beginPath();
        pen.moveTo(...before);
        pen.lineTo(...point);
        pen.stroke();
      }
      before = point;
    }
    pen.globalAlpha = 1;
  }

  drawFlash(pen, flash, t, scale, ratio, now) {
    const live = flash.tracklet && boxAt(flash.tracklet, t, state.video.interval / 2 + 0.001);
    const box = live || flash.box;
    if (!box) return;
    const left = (flash.until - now) / FLASH_MS;
    const grow = (4 + 10 * Math.abs(Math.sin(left * Math.PI * 3))) * ratio;
    const [x1, y1, x2, y2] = box.map((edge) => edge * scale);
    for (const [color, width] of [["#000", 7], [flash.tracklet?.color ?? "#ffd400", 4]]) {
      pen.strokeStyle = color;
      pen.lineWidth = width * ratio;
      pen.strokeRect(x1 - grow, y1 - grow, x2 - x1 + 2 * grow, y2 - y1 + 2 * grow);
    }
    if (flash.tracklet) this.drawLabel(pen, title(flash.tracklet), flash.tracklet.color, x1, y1, ratio);
  }

  // A click on a box chooses its tracklet (the smallest box under the pointer); elsewhere it plays or pauses.
  pick(event) {
    const item = state.video;
    const scale = item.width / this.canvas.clientWidth;
    const [x, y] = [event.offsetX * scale, event.offsetY * scale];
    const area = (box) => (box[2] - box[0]) * (box[3] - box[1]);
    const hits = item.tracklets
      .filter(isShown)
      .map((tracklet) => ({ tracklet, box: boxAt(tracklet, this.player.time, item.interval / 2) }))
      .filter(({ box }) => box && x >= box[0] && x < box[2] && y >= box[1] && y < box[3])
      .sort((a, b) => area(a.box) - area(b.box));
    if (hits.length > 0 && byId("show-boxes").checked) choose(hits[0].tracklet, { seek: false });
    else this.player.toggle();
  }
}

const labelFont = (ratio) => `600 ${12 * ratio}px system-ui, sans-serif`;

function inkOn(color) {
  const channel = (at) => parseInt(color.slice(at, at + 2), 16);
  return 0.299 * channel(1) + 0.587 * channel(3) + 0.114 * channel(5) > 140 ? "#000" : "#fff";
}
