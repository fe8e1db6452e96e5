// One clock for two kinds of picture: the video file beside the page, or the keyframes inside it when there is no file.
class Player {
  constructor(onTick) {
    this.video = byId("video");
    this.still = byId("still");
    this.onTick = onTick;
    this.mode = "stills";
    this.time = 0;
    this.running = false;
    this.rate = 1;
    this.pending = null; // a seek asked for before the file was ready
    this.objectUrl = null;
    this.video.addEventListener("error", () => this.useStills());
    this.video.addEventListener("loadedmetadata", () => this.useVideo());
    for (const name of ["seeked", "timeupdate", "play", "pause", "ended"]) {
      this.video.addEventListener(name, () => this.readVideo(this.video.currentTime));
    }
    this.watchFrames();
  }

  load(item) {
    this.pause();
    this.item = item;
    this.time = 0;
    this.running = false;
    this.pending = null;
    this.useStills();
    this.setSource(item.src);
  }

  setSource(url) {
    if (this.objectUrl !== null && this.objectUrl !== url) URL.revokeObjectURL(this.objectUrl);
    this.objectUrl = null;
    if (url === null) {
      this.video.removeAttribute("src");
      this.video.load();
    } else {
      this.video.src = url;
    }
  }

  openFile(file) {
    const at = this.time;
    const url = URL.createObjectURL(file);
    this.setSource(url);
    this.objectUrl = url;
    this.pending = at;
  }

  useVideo() {
    this.mode = "video";
    this.video.hidden = false;
    this.still.hidden = true;
    byId("file-label").hidden = true;
    byId("stage-note").hidden = true;
    this.video.playbackRate = this.rate;
    if (this.pending !== null || this.time > 0) this.seek(this.pending ?? this.time);
    if (this.running) this.video.play().catch(() => this.pause());
    this.onTick();
  }

  useStills() {
    this.mode = "stills";
    this.video.hidden = true;
    this.still.hidden = this.item === undefined || this.item.keyframes.length === 0;
    byId("file-label").hidden = false;
    this.showStill();
    this.onTick();
  }

  showStill() {
    if (this.mode !== "stills" || this.item === undefined) return;
    const note = byId("stage-note");
    note.hidden = false;
    if (this.item.keyframes.length === 0) {
      note.textContent = "the video file is not beside this page";
      return;
    }
    const gap = (picture) => Math.abs(picture[0] - this.time);
    const nearest = this.item.keyframes.reduce((best, picture) => (gap(picture) < gap(best) ? picture : best));
    const source = `data:image/jpeg;base64,${nearest[1]}`;
    if (this.still.src !== source) this.still.src = source;
    note.textContent = `no video file: picture of ${seconds(nearest[0])}, boxes of ${seconds(this.time)}`;
  }

  // The stamp of the frame on screen where the browser tells it; else the clock of the element.
  watchFrames() {
    if (!("requestVideoFrameCallback" in HTMLVideoElement.prototype)) return;
    const look = (_now, frame) => {
      this.readVideo(frame.mediaTime);
      this.video.requestVideoFrameCallback(look);
    };
    this.video.requestVideoFrameCallback(look);
  }

  readVideo(t) {
    if (this.mode !== "video" || this.video.seeking) return;
    this.time = t;
    this.running = !this.video.paused && !this.video.ended;
    this.onTick();
  }

  seek(t) {
    this.time = clamp(t, 0, this.item.duration);
    // A stamp rounded down would show the frame before: aim half a millisecond into the frame.
    if (this.mode === "video") this.video.currentTime = Math.min(this.time + 0.0005, this.video.duration);
    else this.pending = this.time;
    this.showStill();
    this.onTick();
  }

  play() {
    if (this.running) return;
    if (this.time >= this.item.duration - 0.02) this.seek(0);
    this.running = true;
    if (this.mode === "video") {
      this.video.play().catch(() => this.pause());
    } else {
      let before = performance.now();
      const step = (now) => {
        if (!this.running || this.mode !== "stills") return;
        this.seek(this.time + ((now - before) / 1000) * this.rate);
        before = now;
        if (this.time >= this.item.duration) this.pause();
        else requestAnimationFrame(step);
      };
      requestAnimationFrame(step);
    }
    this.onTick();
  }

  pause() {
    this.running = false;
    this.video.pause();
    if (this.item !== undefined) this.onTick();
  }

  toggle() {
    if (this.running) this.pause();
    else this.play();
  }

  setRate(rate) {
    this.rate = rate;
    this.video.playbackRate = rate;
  }
}
