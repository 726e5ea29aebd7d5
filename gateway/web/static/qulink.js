// Progressive enhancement. Every page works without it; with it, pages update themselves.
"use strict";

(() => {
  const root = document.documentElement;

  // Colours: the cookie is set by the server, which renders the next page without a flash.
  const toggle = document.querySelector("[data-theme-toggle]");
  toggle?.addEventListener("click", async (event) => {
    event.preventDefault();
    const response = await fetch(toggle.href, { credentials: "same-origin" });
    if (!response.ok) return;
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    root.dataset.theme = fresh.documentElement.dataset.theme;
    const next = fresh.querySelector("[data-theme-toggle]");
    for (const name of ["aria-label", "title"]) toggle.setAttribute(name, next.getAttribute(name));
    toggle.href = next.href;
    history.replaceState(null, "", location.pathname + withoutPreferences());
  });

  function withoutPreferences() {
    const parameters = new URLSearchParams(location.search);
    parameters.delete("theme");
    parameters.delete("lang");
    const text = parameters.toString();
    return text ? `?${text}` : "";
  }

  // On a phone the navigation is wider than the screen; the current page must be in sight.
  const nav = document.querySelector(".nav");
  const current = nav?.querySelector("[aria-current]");
  if (current) nav.scrollLeft = current.offsetLeft - (nav.clientWidth - current.offsetWidth) / 2;

  // "/" goes to the search, unless somebody is writing.
  const search = document.querySelector("[data-search]");
  document.addEventListener("keydown", (event) => {
    const isWriting = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (!search || event.key !== "/" || isWriting || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    search.select();
    search.focus();
  });

  const print = document.querySelector("[data-print]");
  if (print) print.hidden = false;
  print?.addEventListener("click", () => window.print());

  for (const select of document.querySelectorAll("select[data-submit]")) {
    select.addEventListener("change", () => select.form.requestSubmit());
  }

  // Nodes stay where they are, so that a click, a selection or the focus survives an update.
  function adopt(old, fresh) {
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) {
      old.replaceWith(fresh);
    } else if (old.nodeType === Node.ELEMENT_NODE) {
      adoptElement(old, fresh);
    } else if (old.data !== fresh.data) {
      old.data = fresh.data;
    }
  }

  function adoptElement(old, fresh) {
    const isNews = old.dataset.k === fresh.dataset.k && "k" in old.dataset
      && old.textContent !== fresh.textContent;
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    adoptChildren(old, fresh);
    if (isNews) flash(old);
  }

  function adoptChildren(old, fresh) {
    const mine = [...old.childNodes];
    const theirs = [...fresh.childNodes];
    theirs.forEach((node, at) => (at < mine.length ? adopt(mine[at], node) : old.append(node)));
    for (const node of mine.slice(theirs.length)) node.remove();
  }

  function flash(cell) {
    cell.classList.remove("changed");
    void cell.offsetWidth;
    cell.classList.add("changed");
  }

  function replace(name, html) {
    const region = document.querySelector(`[data-live="${CSS.escape(name)}"]`);
    if (!region) return;
    const fresh = document.createElement("template");
    fresh.innerHTML = html;
    adoptChildren(region, fresh.content);
  }

  // A page says by data-live-page that blocks of it change; the server sends their HTML.
  if (!document.body.hasAttribute("data-live-page")) return;
  const SILENCE_MS = 25000; // the server says something every ten seconds
  const PATIENCE_MS = 4000; // it ends each connection now and then; that is no loss
  const RETRY_MS = 3000;
  const pulse = document.querySelector("[data-pulse]");
  const loss = document.querySelector("[data-loss]");
  let source = null;
  let heardAt = new Date();
  let failing = false;
  let worry = 0;
  let retry = 0;

  function open() {
    if (source || document.hidden) return;
    source = new EventSource(location.pathname + location.search);
    source.addEventListener("message", (event) => hear(JSON.parse(event.data)));
    source.addEventListener("open", alive);
    source.addEventListener("error", fail);
  }

  function close() {
    source?.close();
    source = null;
    clearTimeout(worry);
    clearTimeout(retry);
  }

  function hear(blocks) {
    for (const [name, html] of Object.entries(blocks)) replace(name, html);
    alive();
    pulse.hidden = false;
    pulse.classList.remove("beat");
    void pulse.offsetWidth;
    pulse.classList.add("beat");
    root.dataset.updates = String(Number(root.dataset.updates || 0) + 1);
  }

  function alive() {
    heardAt = new Date();
    failing = false;
    expect(SILENCE_MS);
    root.classList.remove("lost");
    loss.textContent = "";
  }

  function fail() {
    if (!failing) expect(PATIENCE_MS);
    failing = true;
  }

  function expect(within) {
    clearTimeout(worry);
    worry = setTimeout(lose, within);
  }

  function lose() {
    close();
    const time = heardAt.toLocaleTimeString("en-GB", { timeZone: "Asia/Shanghai" });
    loss.textContent = loss.dataset.words.replace("{time}", time);
    root.classList.add("lost");
    knock();
  }

  // A browser gives up after an answer that is no stream, and never notices a cut cable; we ask
  // until the page itself comes. Whoever must log in again is led there.
  async function knock() {
    try {
      const options = { headers: { accept: "text/html" }, redirect: "manual", signal: AbortSignal.timeout(PATIENCE_MS) };
      const answer = await fetch(location.href, options);
      if (answer.type === "opaqueredirect") return location.reload();
      if (answer.ok) return open();
    } catch (error) {} // nobody answers yet
    retry = setTimeout(knock, RETRY_MS);
  }

  // A browser grants a site six connections; a page that nobody sees must not hold one.
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
})();
