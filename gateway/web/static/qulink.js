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

  // A page says by data-live-page that blocks of it change; the server sends their HTML.
  const pulse = document.querySelector("[data-pulse]");

  function beat(online) {
    const word = pulse.querySelector(".pulse-word");
    const text = online ? word.dataset.on : word.dataset.off;
    pulse.hidden = false;
    pulse.classList.toggle("off", !online);
    if (word.textContent !== text) word.textContent = text;
    pulse.classList.remove("beat");
    void pulse.offsetWidth;
    if (online) pulse.classList.add("beat");
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

  if (document.body.hasAttribute("data-live-page")) {
    let first = true;
    const source = new EventSource(location.pathname + location.search);
    source.addEventListener("message", (event) => {
      const blocks = JSON.parse(event.data);
      for (const [name, html] of Object.entries(blocks)) replace(name, html);
      beat(true);
      first = false;
      root.dataset.updates = String(Number(root.dataset.updates || 0) + 1);
    });
    source.addEventListener("open", () => { if (!first) beat(true); });
    source.addEventListener("error", () => beat(false));
    addEventListener("pagehide", () => source.close());
  }

  // Charts: the picture from the server stays until the interactive one is ready.
  const charts = [...document.querySelectorAll("[data-chart]")];

  function loadBundle() {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = charts[0].dataset.bundle;
      script.type = "module";
      script.addEventListener("load", resolve);
      script.addEventListener("error", reject);
      document.head.append(script);
    });
  }

  async function fetchSpec(figure) {
    const response = await fetch(figure.dataset.chart, { credentials: "same-origin" });
    if (!response.ok) throw new Error(`chart: ${response.status}`);
    return response.json();
  }

  async function embed(figure) {
    const place = figure.querySelector(".chart-live");
    const options = {
      actions: false, ast: true, renderer: "svg", defaultStyle: false,
      tooltip: { disableDefaultStyle: true, theme: "qulink" },
    };
    const spec = await fetchSpec(figure);
    place.style.height = `${shownPicture(figure).offsetHeight}px`; // nothing below may jump
    place.classList.add("waiting");
    place.hidden = false;
    const { view } = await window.vegaEmbed(place, spec, options);
    for (const picture of figure.querySelectorAll(".chart-wide, .chart-narrow")) picture.remove();
    place.classList.remove("waiting");
    figure.dataset.interactive = "true";
    const period = Number(figure.dataset.refresh || 0) * 1000;
    if (period) refresh(figure, view, period);
  }

  function shownPicture(figure) {
    const wide = figure.querySelector(".chart-wide");
    return wide.offsetHeight ? wide : figure.querySelector(".chart-narrow");
  }

  function refresh(figure, view, period) {
    setInterval(async () => {
      if (document.hidden) return;
      try {
        const spec = await fetchSpec(figure);
        for (const [name, values] of Object.entries(spec.datasets)) view.data(name, values);
        await view.runAsync();
      } catch (error) {
        beat(false);
      }
    }, period);
  }

  async function enhance() {
    await loadBundle();
    for (const figure of charts) await embed(figure);
  }

  if (charts.length) {
    const begin = () => enhance().catch(() => { for (const f of charts) f.querySelector(".chart-live").hidden = true; });
    addEventListener("load", () => ("requestIdleCallback" in window ? requestIdleCallback(begin, { timeout: 1500 }) : setTimeout(begin, 200)));
  }

  for (const select of document.querySelectorAll("select[data-submit]")) {
    select.addEventListener("change", () => select.form.requestSubmit());
  }
})();
