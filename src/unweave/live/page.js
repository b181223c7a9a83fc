"use strict";
// Asks for the run, or the list of runs, again and again, and shows what has come.

const OFTEN = 2000, SELDOM = 15000;
const {element, short} = unweaveCurves;
const run = new URLSearchParams(location.search).get("run");
const part = (id) => document.getElementById(id);
let shown = "";
let board = null;

async function ask(path) {
  const answer = await fetch(path, {cache: "no-cache"});
  const told = await answer.json().catch(() => ({error: answer.statusText}));
  if (!answer.ok) throw new Error(told.error || answer.statusText);
  return told;
}

function duration(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor(whole % 3600 / 60)} min`;
  return `${Math.floor(whole / 86400)} d ${Math.floor(whole % 86400 / 3600)} h`;
}

function say(text) {
  part("message").hidden = !text;
  part("message").textContent = text || "";
}

function head(told) {
  document.title = `${told.steps ? Math.floor(100 * told.step / told.steps) : 0} % ${told.name}`;
  part("title").textContent = told.name;
  const lead = part("lead");
  lead.replaceChildren();
  lead.appendChild(element("code", {}, told.objective));
  lead.appendChild(document.createTextNode(" on "));
  lead.appendChild(element("code", {}, told.dataset));
  lead.appendChild(document.createTextNode(`, ${told.architecture}, seed ${told.seed}`));
  part("progress").hidden = false;
  part("state").className = `state ${told.state}`;
  part("state").textContent = told.state;
  const facts = [`step ${told.step.toLocaleString("en")} of ${told.steps.toLocaleString("en")}`];
  if (told.left !== null) facts.push(`${duration(told.left)} left`);
  if (told.seconds) facts.push(`${duration(told.seconds)} of training`);
  if (told.images_per_second) facts.push(`${Math.round(told.images_per_second).toLocaleString("en")} images/s`);
  part("facts").textContent = facts.join(" · ");
  const share = 100 * told.step / told.steps;
  part("done").style.width = `${share}%`;
  part("bar").setAttribute("aria-valuenow", share.toFixed(0));
  say(told.message);
}

function cards(scores) {
  part("scores").hidden = !scores.length;
  part("cards").replaceChildren(...scores.map((score) => {
    const card = element("div", {class: "card"});
    card.appendChild(element("div", {class: "name"}, score.name));
    card.appendChild(element("div", {class: "value"}, short(score.value)));
    card.appendChild(element("div", {class: "protocol"}, score.protocol));
    return card;
  }));
}

function picture(told) {
  const found = told.picture;
  part("images").hidden = found.kind === "none" && !found.reason;
  part("picture").hidden = found.kind === "none";
  if (found.kind === "none") {
    part("caption").textContent = found.reason;
    return;
  }
  const address = `picture.png?run=${encodeURIComponent(run || "")}&name=${encodeURIComponent(found.name)}&step=${found.step}`;
  if (address !== shown) {
    part("picture").src = address;
    shown = address;
  }
  const from = found.kind === "drawn" ? ", drawn from the checkpoint" : "";
  part("caption").textContent = `Probe images, and below each what the model makes of it, after step ${found.step.toLocaleString("en")}${from}.`;
}

function curves(told) {
  const any = Object.keys(told.curves).length > 0;
  part("charts").hidden = !any;
  if (!any) return;
  board ??= new unweaveCurves.Board(part("charts"));
  board.update(told);
}

function list(told) {
  document.title = told.title;
  part("title").textContent = told.title;
  const count = (state) => told.runs.filter((each) => each.state === state).length;
  const states = [...new Set(told.runs.map((each) => each.state))];
  part("lead").textContent = `${told.runs.length} runs: ` + states.map((state) => `${count(state)} ${state}`).join(", ");
  part("list").hidden = false;
  part("empty").hidden = told.runs.length > 0;
  part("rows").replaceChildren(...told.runs.map((each) => {
    const row = element("tr");
    row.appendChild(element("td")).appendChild(element("a", {href: `?run=${encodeURIComponent(each.run)}`}, each.run));
    row.appendChild(element("td")).appendChild(element("span", {class: `state ${each.state}`}, each.state));
    const step = each.steps ? `${each.step.toLocaleString("en")} / ${each.steps.toLocaleString("en")}` : "";
    row.appendChild(element("td", {class: "number"}, step));
    row.appendChild(element("td", {class: "number"}, short(each.loss)));
    row.appendChild(element("td")).appendChild(element("code", {}, each.objective || ""));
    row.appendChild(element("td")).appendChild(element("code", {}, each.dataset || ""));
    row.appendChild(element("td", {class: "number"}, each.seed === null ? "" : each.seed));
    return row;
  }));
}

async function look() {
  let next = OFTEN;
  try {
    const told = run === null ? await ask("runs.json") : null;
    if (told && told.runs) {
      list(told);
      say("");
      next = 2 * OFTEN;
    } else {
      part("up").hidden = run === null;
      const state = await ask(`run.json?run=${encodeURIComponent(run || "")}`);
      head(state);
      cards(state.scores);
      picture(state);
      curves(state);
      if (state.state !== "running") next = SELDOM;
    }
  } catch (error) {
    say(`unweave watch does not tell of it: ${error.message.replace(/[.]$/, "")}. What is shown here may be old.`);
    next = SELDOM / 3;
  }
  setTimeout(look, document.hidden ? SELDOM : next);
}

look();
