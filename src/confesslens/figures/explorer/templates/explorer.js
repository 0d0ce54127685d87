"use strict";
// All text goes onto the page through textContent: what a model wrote is never markup here.
const DATA = JSON.parse(document.getElementById("data").textContent);
const STEP = 200; // rollouts that the list shows at once
const form = document.getElementById("filters");
const list = document.getElementById("list");
const more = document.getElementById("more");
const status = document.getElementById("status");
const reading = document.getElementById("reading");
const byId = new Map(DATA.rollouts.map((rollout) => [rollout.id, rollout]));
let shown = DATA.rollouts, length = STEP, current = "", other = "";

function make(tag, kind, text) {
  const element = document.createElement(tag);
  if (kind) element.className = kind;
  if (text !== undefined) element.textContent = text;
  return element;
}

const label = (value) => value.replaceAll("_", " ");
const cellName = (cell) => (DATA.cells[cell] ? `${DATA.cells[cell].name} (${cell})` : label(cell));
const number = (value) => (value > 0 ? "+" : "") + value.toFixed(2).replace("-", "−");

function words(rollout) {
  rollout.words ??= [
    rollout.id, ...rollout.messages.map(([, place]) => DATA.texts[place]), rollout.thought, rollout.answer,
    ...rollout.confessions.map((confession) => confession.text),
  ].join("\n").toLowerCase();
  return rollout.words;
}

function fillFilters() {
  for (const select of form.querySelectorAll("select")) {
    const counts = new Map();
    for (const rollout of DATA.rollouts) counts.set(rollout[select.name], (counts.get(rollout[select.name]) ?? 0) + 1);
    for (const [value, count] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const option = make("option", "", `${select.name === "cell" ? cellName(value) : label(value)} (${count})`);
      option.value = value;
      select.append(option);
    }
  }
}

function applyFilters() {
  const asked = [...form.querySelectorAll("select")].filter((select) => select.value);
  const sought = form.elements.words.value.trim().toLowerCase();
  shown = DATA.rollouts.filter((rollout) =>
    asked.every((select) => rollout[select.name] === select.value) && (!sought || words(rollout).includes(sought)));
  length = STEP;
  showList();
}

function showList() {
  list.replaceChildren(...shown.slice(0, length).map((rollout) => {
    const item = make("li"), button = make("button"), chip = make("span", "chip");
    button.type = "button";
    button.dataset.id = rollout.id;
    button.setAttribute("aria-current", String(rollout.id === current));
    chip.setAttribute("aria-hidden", "true");
    chip.style.background = DATA.cells[rollout.cell]?.colour ?? "transparent";
    button.append(chip, make("span", "name", rollout.id),
      make("span", "first", `${DATA.cells[rollout.cell]?.name ?? label(rollout.behaviour)}: ${rollout.answer.slice(0, 90)}`));
    item.append(button);
    return item;
  }));
  more.hidden = shown.length <= length;
  const part = shown.length > length ? `, the first ${length} listed` : "";
  status.textContent = `${shown.length} of ${DATA.rollouts.length} rollouts${part}.`;
}

function choose(id, compare = "") {
  if (!byId.has(id)) return;
  current = id;
  other = compare;
  if (location.hash !== "#" + encodeURIComponent(id)) history.replaceState(null, "", "#" + encodeURIComponent(id));
  for (const button of list.querySelectorAll("button")) {
    button.setAttribute("aria-current", String(button.dataset.id === id));
  }
  list.querySelector('[aria-current="true"]')?.scrollIntoView({ block: "nearest" });
  const rollout = byId.get(id), actions = make("div", "actions all");
  for (const [name, to] of partners(rollout)) {
    const button = make("button", "", other === to ? "One alone" : name);
    button.type = "button";
    button.addEventListener("click", () => choose(id, other === to ? "" : to));
    actions.append(button);
  }
  const link = make("a", "", "Link to this rollout");
  link.href = "#" + encodeURIComponent(id);
  actions.append(link);
  reading.className = other ? "two" : "";
  reading.replaceChildren(actions, tell(rollout), ...(other ? [tell(byId.get(other))] : []));
}

function partners(rollout) {
  const found = [];
  if (byId.has(rollout.twin)) found.push(["Compare with its text-matched twin", rollout.twin]);
  const sample = DATA.rollouts.find((one) => one.id !== rollout.id && one.scenario === rollout.scenario &&
    one.condition === rollout.condition && one.behaviour !== rollout.behaviour);
  if (sample) found.push([`Compare with a sample of this scenario that is ${label(sample.behaviour)}`, sample.id]);
  const neutral = DATA.rollouts.find((one) => one.scenario === rollout.scenario && one.condition === "neutral");
  if (neutral && neutral.id !== rollout.id) found.push(["Compare with a neutral answer", neutral.id]);
  return found;
}

function tell(rollout) {
  const article = make("article");
  article.append(make("h2", "", rollout.id), facts([
    ["cell", rollout.cell === "none" ? "" : cellName(rollout.cell)],
    ["behaviour (did)", label(rollout.behaviour) + (rollout.admitted ? ", admitted in the answer" : "")],
    ["knowledge (ground truth)", label(rollout.knowledge)],
    ["probe (knew)", rollout.probe === null ? "" :
      `${number(rollout.probe)} out of fold, ${rollout.probe > 0 ? "fires" : "does not fire"}`],
    ["text baseline", rollout.text === null ? "" : number(rollout.text)],
    ["chain of thought (thought)", rollout.cot === "mentioned" ? `mentions it: “${rollout.quote}”` :
      rollout.cot === "none" ? "" : "does not mention it"],
    ["confession (said)", rollout.claim === "none" ? "" : label(rollout.claim)],
    ["confession logit", rollout.logit === null ? "" : number(rollout.logit)],
  ]));
  const last = rollout.messages.length - 1;
  rollout.messages.forEach(([role, place], at) => {
    if (at === last) return article.append(...passage(`prompt: ${role}`, DATA.texts[place]));
    const earlier = make("details");
    earlier.append(make("summary", "", `prompt: ${role}`), ...passage("", DATA.texts[place]));
    article.append(earlier);
  });
  if (rollout.thought) article.append(...passage("chain of thought", rollout.thought, "cot", rollout.quote, rollout.tokens.cot));
  article.append(...passage("answer", rollout.answer, "", "", rollout.tokens.answer));
  if (rollout.evidence.length) {
    const found = make("details");
    found.append(make("summary", "", "what the grader found"), facts(rollout.evidence));
    article.append(found);
  }
  for (const confession of rollout.confessions) {
    const known = [confession.mode, label(confession.form), `read as ${label(confession.claim || "none")}`];
    if (confession.logit !== null) known.push(`logit ${number(confession.logit)}`);
    if (confession.grade !== null) known.push(`grade ${confession.grade}`);
    if (confession.confidence !== null) known.push(`confidence ${confession.confidence}`);
    article.append(...passage(`confession: ${known.join(", ")}`, confession.text, "said"));
  }
  return article;
}

function facts(pairs) {
  const terms = make("dl");
  for (const [name, value] of pairs) {
    if (!value) continue;
    const said = make("dd", "", value);
    said.dir = "auto";
    terms.append(make("dt", "", name), said);
  }
  return terms;
}

function passage(heading, text, kind = "", quote = "", tokens = undefined) {
  const block = make("div", `text ${kind}`);
  block.dir = "auto";
  block.tabIndex = 0;
  block.setAttribute("role", "region");
  block.setAttribute("aria-label", heading || "text");
  if (tokens?.length) colour(block, tokens);
  else if (quote && text.includes(quote)) {
    const start = text.indexOf(quote);
    block.append(text.slice(0, start), make("mark", "", quote), text.slice(start + quote.length));
  } else block.textContent = text || "(empty)";
  return heading ? [make("h3", "", heading), block] : [block];
}

// Vermillion speaks for the bad act and is underlined too, blue against it (Okabe and Ito: told apart by all).
function colour(block, tokens) {
  block.className = "text tokens";
  for (const [text, score] of tokens) {
    const token = make("span", score > 0 ? "up" : "", text);
    const strength = Math.min(1, Math.abs(score ?? 0) / DATA.limit) * 0.55;
    token.style.background = score > 0 ? `rgba(213, 94, 0, ${strength})` : `rgba(0, 114, 178, ${strength})`;
    if (score !== null) token.title = number(score);
    block.append(token);
  }
}

function move(by) {
  const at = shown.findIndex((rollout) => rollout.id === current);
  const next = shown[at < 0 ? 0 : Math.min(shown.length - 1, Math.max(0, at + by))];
  if (!next) return;
  while (shown.indexOf(next) >= length) length += STEP;
  if (!list.querySelector(`[data-id="${CSS.escape(next.id)}"]`)) showList();
  choose(next.id);
}

list.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) choose(button.dataset.id);
});
list.addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  event.preventDefault();
  move(event.key === "ArrowDown" ? 1 : -1);
  list.querySelector('[aria-current="true"]')?.focus();
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "c" && current) choose(current, other ? "" : (partners(byId.get(current))[0]?.[1] ?? ""));
  else if (event.key === "/") {
    event.preventDefault();
    form.elements.words.focus();
  }
});
more.addEventListener("click", () => {
  const first = length;
  length += STEP;
  showList();
  list.children[first]?.querySelector("button").focus();
});
form.addEventListener("input", applyFilters);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(applyFilters));
window.addEventListener("hashchange", open);

function open() {
  let id = "";
  try { id = decodeURIComponent(location.hash.slice(1)); } catch { /* a hash that is no name */ }
  if (byId.has(id)) choose(id);
  else if (!current && shown.length) choose(shown[0].id);
}

fillFilters();
applyFilters();
open();
