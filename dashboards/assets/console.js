// What the console does in the browser without asking the server: the tick's gate, theme and zone, the heartbeat, the
// menu on narrow screens, drags in charts, and the SQL editor's colours and underline.  Called by dashboards/navigation.py
// and dashboards/pages/sql.py; nothing here knows a number that is shown.
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.console = (function () {
  "use strict";
  const KEEP = () => window.dash_clientside.no_update;
  const KEYWORDS = new Set(("select from where group by order having limit offset as and or not in is null between like ilike " +
    "case when then else end join left right inner outer full cross on using union all distinct with cast interval asc desc " +
    "true false exists over partition rows range filter qualify values except intersect nulls first last describe show " +
    "summarize explain").split(" "));
  const arrived = { at: 0, text: "" };

  // A tick goes out only when the page is seen and no live callback is running: slow answers are skipped, not piled up.
  function tick(intervals, clicks, busy) {
    const asked = (window.dash_clientside.callback_context.triggered || []).some((t) => t.prop_id.startsWith("refresh-now"));
    if (!asked && (document.hidden || busy.some(Boolean))) return KEEP();
    return Date.now();
  }

  function wantedTheme(href) {
    const inAddress = new URLSearchParams((href || "").split("?")[1] || "").get("theme");
    if (inAddress) return inAddress;
    try { const kept = localStorage.getItem("gatewatch-theme"); if (kept) return kept; } catch (refused) { /* private window */ }
    return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }

  function theme(href, shown, zone) {
    if (!href) return [KEEP(), KEEP(), KEEP()];
    const wanted = wantedTheme(href);
    document.documentElement.setAttribute("data-ag-theme-mode", wanted);
    const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
    document.title = (document.getElementById("title") || {}).textContent ?
      document.getElementById("title").textContent + " · gatewatch" : "gatewatch";
    return [wanted === shown ? KEEP() : wanted, wanted, here === zone ? KEEP() : here];
  }

  function otherTheme(clicks, shown) {
    if (!clicks) return KEEP();
    const other = shown === "dark" ? "light" : "dark";
    try { localStorage.setItem("gatewatch-theme", other); } catch (refused) { /* private window: the address keeps it */ }
    return other;
  }

  // Says how old the page is; red when a refresh that should have come did not, whatever the reason.
  function heartbeat(beats, served) {
    if (!served) return ["", "served"];
    if (served.at !== arrived.served) { arrived.served = served.at; arrived.at = Date.now(); }
    document.getElementById("served-text").dataset.served = served.at;
    const age = Math.round((Date.now() - arrived.at) / 1000);
    const overdue = served.refresh_s > 0 && !document.hidden && age > 3 * served.refresh_s + 5;
    const words = age < 2 ? "now" : age < 120 ? age + " s ago" : Math.round(age / 60) + " min ago";
    return overdue ?
      ["No answer from the console for " + words.replace(" ago", "") + ". What you see is from then.", "served overdue"] :
      [served.text ? served.text + "  ·  updated " + words : "", "served"];
  }

  function zoom() {
    const trigger = (window.dash_clientside.callback_context.triggered || [])[0];
    const change = trigger && trigger.value;
    if (!change) return KEEP();
    const from = change["xaxis.range[0]"], to = change["xaxis.range[1]"];
    return from && to ? { from: String(from), to: String(to), at: Date.now() } : KEEP();
  }

  function menu(opened, path, navbar) {
    const byLink = (window.dash_clientside.callback_context.triggered || []).some((t) => t.prop_id.startsWith("url"));
    const open = byLink ? false : Boolean(opened);
    return [Object.assign({}, navbar, { collapsed: { mobile: !open } }), open];
  }

  function escaped(text) {
    return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  }

  function coloured(text) {
    const token = /(--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|('(?:[^']|'')*'?)|("(?:[^"]|"")*"?)|(\b\d+(?:\.\d+)?\b)|([A-Za-z_]\w*)/g;
    let out = "", end = 0, m;
    while ((m = token.exec(text)) !== null) {
      out += escaped(text.slice(end, m.index));
      end = token.lastIndex;
      const kind = m[1] ? "comment" : m[2] ? "string" : m[3] ? "name" : m[4] ? "number" :
        KEYWORDS.has(m[5].toLowerCase()) ? "keyword" : "";
      out += kind ? '<span class="' + kind + '">' + escaped(m[0]) + "</span>" : escaped(m[0]);
    }
    return out + escaped(text.slice(end));
  }

  // The editor is a textarea with clear letters over this coloured copy; the place of an error is underlined in it until
  // the text is changed.
  let wrongText = null;
  function paint(text, place) {
    const copy = document.getElementById("sql-paint"), area = document.getElementById("sql-text");
    if (!copy || !area) return KEEP();
    text = text || "";
    const byPlace = (window.dash_clientside.callback_context.triggered || []).some((t) => t.prop_id.startsWith("sql-place"));
    if (byPlace) wrongText = place ? text : null;
    if (!place || wrongText !== text) {
      copy.innerHTML = coloured(text) + "\n";
      area.removeAttribute("aria-invalid");
    } else {
      const lines = text.split("\n");
      const start = lines.slice(0, place.line - 1).reduce((sum, line) => sum + line.length + 1, 0) + place.column - 1;
      const at = Math.max(0, Math.min(start, text.length));
      const word = /^(\w+|"[^"\n]*"?|'[^'\n]*'?|[^\s\w])/.exec(text.slice(at));
      const stop = at + (word ? word[0].length : 0);
      copy.innerHTML = coloured(text.slice(0, at)) + '<span class="wrong-here">' + (escaped(text.slice(at, stop)) || " ") +
        "</span>" + coloured(text.slice(stop)) + "\n";
      area.setAttribute("aria-invalid", "true");
    }
    if (!area.dataset.follows) {
      area.dataset.follows = "yes";
      area.addEventListener("scroll", () => { copy.scrollTop = area.scrollTop; copy.scrollLeft = area.scrollLeft; });
    }
    return KEEP();
  }

  // The same CSV that `gatewatch sql --output csv` prints (queries/result_format.py): NULL is nothing, an empty text "".
  function csvCell(value) {
    if (value === null || value === undefined) return "";
    const text = String(value);
    return /[",\r\n]|^$|^\s|\s$/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  }

  function download(clicks, columns, rows) {
    if (!clicks) return KEEP();
    const lines = [columns.map((column) => csvCell(column.headerName)).join(",")];
    for (const row of rows) lines.push(columns.map((column) => csvCell(row[column.field])).join(","));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([lines.join("\n") + "\n"], { type: "text/csv" }));
    link.download = "gatewatch-result.csv";
    link.click();
    URL.revokeObjectURL(link.href);
    return clicks;
  }

  document.addEventListener("keydown", function (event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.id === "sql-text") {
      event.preventDefault();
      const button = document.getElementById("sql-run");
      if (button) button.click();
    }
  });

  document.addEventListener("click", function (event) {
    const name = event.target.closest && event.target.closest("button.insert");
    const area = document.getElementById("sql-text");
    if (!name || !area) return;
    area.focus();
    // execCommand keeps the editor's own undo, and fires the event that tells Dash of the new text.
    document.execCommand("insertText", false, name.textContent);
  });

  return { tick, theme, otherTheme, heartbeat, zoom, menu, paint, download };
})();
