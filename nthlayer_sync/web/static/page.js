// What a page is better with: keys, a page that follows what happens, a picture to drag. Everything works without.
"use strict";

const PAGES = { o: "/", e: "/entities", w: "/waiting", r: "/runs", g: "/graph" };
const REFRESH = 2000; // milliseconds between two refreshes, and before a lost connection is tried again
const help = document.querySelector("[data-keys]");

// Keys.

let pending = 0; // until when the second key of `g …` counts

function typing(target) {
  return target.closest("input:not([type=checkbox]), select, textarea, [contenteditable], dialog") !== null;
}

function step(by) {
  const rows = [...document.querySelectorAll("[data-list] > li, [data-list] > tbody > tr:not(.group)")];
  if (!rows.length) return;
  const now = rows.findIndex((row) => row.contains(document.activeElement));
  const row = rows[Math.min(Math.max(now < 0 ? (by > 0 ? 0 : rows.length - 1) : now + by, 0), rows.length - 1)];
  const target = row.matches("[tabindex]") ? row : row.querySelector("a, button, summary, input");
  if (target) target.focus();
  row.scrollIntoView({ block: "nearest" });
}

document.addEventListener("focusin", () => {
  for (const row of document.querySelectorAll(".at")) row.classList.remove("at");
  const row = document.activeElement.closest("[data-list] > li, [data-list] > tbody > tr:not(.group)");
  if (row) row.classList.add("at");
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  const second = Date.now() < pending;
  pending = 0;
  if (second && PAGES[event.key]) location.assign(PAGES[event.key]);
  else if (event.key === "g") pending = Date.now() + 1500;
  else if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
  else if (event.key === "?" && help) help.showModal();
  else if (event.key === "/" && document.getElementById("find")) document.getElementById("find").focus();
  else return;
  event.preventDefault();
});

for (const button of document.querySelectorAll("[data-help]")) {
  button.hidden = false;
  button.addEventListener("click", () => help.showModal());
}

// An open menu closes with Escape, or with a click beside it.

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(except)) menu.open = false;
}
document.addEventListener("click", (event) => closeMenus(event.target));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.activeElement.closest("details.menu[open]");
  closeMenus(null);
  if (menu) menu.querySelector("summary").focus();
});

// Pictures are dragged, and begin with what they are about.

for (const picture of document.querySelectorAll("[data-pan]")) {
  const focus = picture.querySelector(".focus rect");
  if (focus) {
    picture.scrollLeft = focus.x.baseVal.value + 88 - picture.clientWidth / 2;
    picture.scrollTop = focus.y.baseVal.value + 20 - picture.clientHeight / 2;
  }
  if (picture.scrollWidth <= picture.clientWidth && picture.scrollHeight <= picture.clientHeight) continue;
  picture.classList.add("pans");
  let from = null;
  picture.addEventListener("pointerdown", (event) => {
    if (event.button === 0 && event.pointerType === "mouse" && !event.target.closest("a"))
      from = { x: event.clientX + picture.scrollLeft, y: event.clientY + picture.scrollTop };
  });
  picture.addEventListener("pointermove", (event) => {
    if (from) picture.scrollTo(from.x - event.clientX, from.y - event.clientY);
  });
  for (const end of ["pointerup", "pointerleave"]) picture.addEventListener(end, () => (from = null));
}

// The page follows what happens while somebody looks at it.

const said = document.querySelector("[data-live-state]");
const news = document.querySelector("[data-news]");
let listening = null;
let over = false; // somebody logged out, or was logged out
let patience = REFRESH;
let due = 0;

function tell(text) {
  if (said) said.textContent = text;
}

/** Whether replacing a part would take away what somebody is doing in it. */
function inUse(part) {
  return part.contains(document.activeElement) || part.querySelector("details[open], input:user-invalid") !== null ||
    [...part.querySelectorAll("input")].some((input) => input.checked !== input.defaultChecked || input.value !== input.defaultValue);
}

async function refresh() {
  due = 0;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (answer.redirected || !answer.ok) return end();
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  let left = 0;
  for (const part of document.querySelectorAll("[data-live]")) {
    const other = fresh.getElementById(part.id);
    if (other && other.innerHTML === part.innerHTML) continue;
    if (!other || inUse(part)) left += 1;
    else part.replaceWith(document.adoptNode(other));
  }
  const came = [...fresh.querySelectorAll("[data-live]")].some((part) => !document.getElementById(part.id));
  if (document.querySelector("[data-again]")) soon();
  tell(left || came ? "there is more that is new: load the page again" : "live");
}

function soon() {
  if (!due) due = setTimeout(() => refresh().catch(() => tell("cannot be reached")), REFRESH);
}

/** Whoever was logged out looks at an old page from now on. */
function end() {
  over = true;
  stop();
  tell("no longer live: load the page again");
}

async function listen() {
  if (listening || over) return;
  const here = (listening = new AbortController());
  try {
    const answer = await fetch(document.body.dataset.events, { signal: here.signal });
    if (answer.redirected) return end();
    if (!answer.ok) throw new Error("no stream");
    tell("live");
    patience = REFRESH;
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const blocks = (text + value).split("\n\n");
      text = blocks.pop();
      for (const block of blocks) heard(block);
    }
  } catch {
    // It ended, for whatever reason; what follows is the same.
  }
  if (listening !== here) return;
  listening = null;
  tell("connecting again");
  setTimeout(() => { if (!document.hidden) { listen(); soon(); } }, patience);
  patience = Math.min(2 * patience, 60000);
}

function heard(block) {
  const data = block.split("\n").find((line) => line.startsWith("data: "));
  if (!data) return;
  if (news) news.textContent = JSON.parse(data.slice(6)).text;
  soon();
}

function stop() {
  const here = listening;
  listening = null;
  if (here) here.abort();
}

if (document.body.dataset.events) {
  // A hidden page holds no connection: browsers have few for one site.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) stop();
    else { listen(); soon(); }
  });
  window.addEventListener("pagehide", stop);
  window.addEventListener("pageshow", (event) => { if (event.persisted) { listen(); soon(); } });
  if (!document.hidden) listen();
  if (document.querySelector("[data-again]")) soon();
}
