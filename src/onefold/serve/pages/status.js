"use strict";

const TEXTS = {
  en: {
    docs: "API docs", metrics: "Metrics", other: "中文", parts: "Parts", figures: "Figures",
    key: "API key", show: "Show", note: "Figures need an API key (role reader or above). It stays in this tab.",
    refused: "This key is not accepted.", segments: "Segments", none: "none yet", find: "Find a profile",
    who: "Identifier or id", look: "Find", unreachable: "cannot be reached", ok: "works", degraded: "degraded", failed: "failed",
    events: "events", rate: "events a second", profiles: "profiles", identifiers: "identifiers", merges: "merges",
    members: "memberships", duplicates: "repeats dropped", rejects: "rejects", lag: "bytes to process",
    latency: "seconds, p95", waiting: "deliveries waiting", dead: "dead letters", lake: "rows to the lake",
  },
  zh: {
    docs: "API 文档", metrics: "指标", other: "English", parts: "组件", figures: "数据",
    key: "API 密钥", show: "显示", note: "查看数据需要 API 密钥（reader 及以上角色）。密钥只保存在当前标签页。",
    refused: "密钥无效。", segments: "人群", none: "暂无", find: "查找用户",
    who: "标识或用户 ID", look: "查找", unreachable: "无法连接", ok: "正常", degraded: "降级", failed: "故障",
    events: "事件", rate: "事件/秒", profiles: "用户档案", identifiers: "标识", merges: "合并",
    members: "人群成员", duplicates: "重复丢弃", rejects: "拒收", lag: "待处理字节",
    latency: "延迟（秒，p95）", waiting: "待投递", dead: "死信", lake: "待入湖行数",
  },
};

let language = sessionStorage.getItem("onefold.language") || (navigator.language.startsWith("zh") ? "zh" : "en");
let key = sessionStorage.getItem("onefold.key") || "";
let before = null;
const at = (id) => document.getElementById(id);
const text = (name) => TEXTS[language][name];
const number = (value) => value == null ? "–" : value.toLocaleString(language);

function label() {
  document.documentElement.lang = language;
  for (const one of document.querySelectorAll("[data-text]")) one.textContent = text(one.dataset.text);
  at("language").textContent = text("other");
  at("note").textContent = text("note");
}

function rows(body, lines) {
  body.replaceChildren(...lines.map((cells) => {
    const row = document.createElement("tr");
    for (const [content, kind] of cells) {
      const cell = document.createElement("td");
      cell.textContent = content;
      if (kind) cell.className = kind;
      row.append(cell);
    }
    return row;
  }));
}

function ask(path) {
  return fetch(path, key ? { headers: { authorization: `Bearer ${key}` } } : {});
}

function showHealth(health) {
  at("state").textContent = `${text(health.state)} · ${health.version}`;
  at("state").className = health.state;
  rows(at("checks"), health.checks.map((one) => [[one.name], [text(one.state), one.state], [one.detail]]));
}

function showFigures(status) {
  const now = performance.now();
  const events = status.totals.events || 0;
  const rate = before ? Math.max(0, Math.round((events - before.events) / ((now - before.now) / 1000))) : null;
  before = { events, now };
  const sum = (values) => Object.values(values).reduce((one, two) => one + two, 0);
  const figures = {
    events, rate, profiles: status.totals.profiles, identifiers: status.totals.identifiers,
    merges: status.totals.merges, members: status.totals.members, duplicates: status.totals.duplicates,
    rejects: status.open_rejects, latency: status.worker.latency_p95, lag: sum(status.log),
    lake: status.lake_queue_rows, waiting: sum(status.deliveries_waiting), dead: status.dead_letters,
  };
  at("figures").replaceChildren(...Object.entries(figures).map(([name, value]) => {
    const box = document.createElement("div");
    const big = document.createElement("b");
    box.className = "figure";
    big.textContent = number(value);
    box.append(big, text(name));
    return box;
  }));
  const segments = Object.entries(status.segments).sort();
  rows(at("segments"), segments.length ? segments.map(([name, count]) => [[name], [number(count)]]) : [[[text("none")]]]);
}

async function refresh() {
  try {
    showHealth(await (await ask("/health")).json());
    if (key) {
      const answer = await ask("/api/status");
      at("note").textContent = answer.ok ? "" : text("refused");
      if (answer.ok) showFigures(await answer.json());
    }
  } catch {
    at("state").textContent = text("unreachable");
    at("state").className = "failed";
  }
  setTimeout(refresh, 1000);
}

at("language").addEventListener("click", () => {
  language = language === "en" ? "zh" : "en";
  sessionStorage.setItem("onefold.language", language);
  label();
});
at("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  key = at("key").value.trim();
  sessionStorage.setItem("onefold.key", key);
  before = null;
});
at("search").addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await ask(`/api/profiles/${encodeURIComponent(at("reference").value.trim())}`);
  at("profile").textContent = JSON.stringify(await answer.json(), null, 2);
  at("profile").hidden = false;
});
at("key").value = key;
label();
refresh();
