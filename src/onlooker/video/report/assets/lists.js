// The lists at the side: questions with their evidence, tracklets with their crops, words heard and read.
const ROWS_SHOWN = 50;
const EVIDENCE_SHOWN = 10;

function answerCard(answer, onEvidence) {
  const card = el("article", { class: "card answer" }, el("h3", { text: answer.question }));
  card.append(el("p", { class: "reply", text: answer.text }));
  if (answer.status !== "answered") {
    const told = answer.status === "no_evidence" ? "nothing in the videos shows it" : "cannot be answered from what was recorded";
    card.append(el("span", { class: "badge", text: told }));
  }
  const list = el("div", { class: "evidence", attributes: { role: "group", "aria-label": "Evidence" } });
  const buttons = answer.evidence.map((item) => evidenceButton(item, onEvidence));
  list.append(...buttons.slice(0, EVIDENCE_SHOWN));
  if (buttons.length > EVIDENCE_SHOWN) {
    const more = el("button", { text: `${buttons.length - EVIDENCE_SHOWN} more…`, onclick: () => more.replaceWith(...buttons.slice(EVIDENCE_SHOWN)) });
    list.append(more);
  }
  card.append(list, whyDrawer(answer));
  return card;
}

function evidenceButton(item, onEvidence) {
  const parts = [];
  if (report.videos.length > 1) parts.push(item.video);
  if (item.tracklet !== null) {
    const found = report.videos.find((video) => video.name === item.video)?.tracklets.find((one) => one.number === item.tracklet);
    parts.push(found ? title(found) : `${item.tracklet}`);
  } else parts.push(item.kind.replace("_", " "));
  if (item.start_s !== null) parts.push(span(item.start_s, item.end_s ?? item.start_s));
  else if (item.frame_s !== null) parts.push(seconds(item.frame_s));
  if (item.quote) parts.push(`“${item.quote}”`);
  const button = el("button", { text: `▸ ${parts.join(" · ")}`, onclick: () => onEvidence(item, button) });
  return button;
}

function whyDrawer(answer) {
  const facts = [`planner: ${answer.planner}`, `confidence ${answer.confidence.toFixed(2)}`, `${answer.elapsed_ms.toFixed(0)} ms`];
  const drawer = el("details", { class: "why" }, el("summary", { text: "Why?" }), el("p", { text: facts.join(", ") }));
  for (const claim of answer.claims) {
    drawer.append(el("p", { text: `${claim.text} (evidence ${claim.evidence.map((at) => at + 1).join(", ") || "none"})` }));
  }
  if (answer.sql) drawer.append(el("pre", { text: answer.sql }));
  if (answer.columns.length > 0) {
    const cells = (row, tag) => el("tr", {}, ...row.map((cell) => el(tag, { text: cell === null ? "–" : typeof cell === "number" && !Number.isInteger(cell) ? cell.toFixed(3) : `${cell}` })));
    const table = el("table", {}, el("thead", {}, cells(answer.columns, "th")), el("tbody", {}, ...answer.rows.slice(0, ROWS_SHOWN).map((row) => cells(row, "td"))));
    drawer.append(el("div", { class: "rows", attributes: { tabindex: "0", role: "region", "aria-label": "Rows" } }, table));
    const left = answer.rows.length - ROWS_SHOWN;
    if (left > 0) drawer.append(el("p", { text: `and ${plural(left, "more row")}` }));
  }
  const models = Object.entries(answer.models).map(([role, name]) => `${role}: ${name}`);
  if (models.length > 0) drawer.append(el("p", { text: `read by ${models.join("; ")}` }));
  return drawer;
}

function trackletCard(tracklet) {
  const picture = tracklet.crop
    ? el("img", { attributes: { src: `data:image/jpeg;base64,${tracklet.crop}`, alt: "", loading: "lazy" } })
    : el("span", { class: "no-crop" });
  const dot = el("span", { class: "dot" });
  dot.style.background = tracklet.color;
  const looks = [...tracklet.colors, tracklet.direction === "none" ? null : `moves ${tracklet.direction}`, `${Math.round(tracklet.speed)} px/s`];
  const seen = [span(tracklet.start, tracklet.end), tracklet.gaps.length > 0 ? plural(tracklet.gaps.length, "gap") : null];
  const facts = [seen, looks, tracklet.tags, [tracklet.verdict]].map((group) => group.filter((part) => part).join(" · ")).filter((line) => line);
  const text = el("span", {}, el("strong", {}, dot, title(tracklet)), ...facts.map((line) => el("span", { class: "facts", text: line })));
  const card = el("button", { class: "tracklet", title: tracklet.motion ?? "", onclick: () => choose(tracklet, { seek: true }) }, picture, text);
  card.dataset.number = tracklet.number;
  card.classList.toggle("chosen", tracklet.number === state.chosen);
  return card;
}

function wordButtons(onWord) {
  const item = state.video;
  const heard = item.speech.map(([from, to, text]) => ({ from, to, text, kind: "heard", box: null }));
  const read = item.text.map(([from, to, text, , box]) => ({ from, to, text, kind: "read", box }));
  return [...heard, ...read]
    .filter((word) => matchesWords(word.text))
    .sort((a, b) => a.from - b.from)
    .map((word) => {
      const facts = el("span", { class: "facts", text: `${word.kind} · ${span(word.from, word.to)}` });
      return el("button", { class: "word", onclick: () => onWord(word) }, el("span", { text: word.text }), facts);
    });
}

const nothing = (text) => el("p", { class: "nothing", text });
