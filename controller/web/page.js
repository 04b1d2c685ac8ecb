// Shows what the controller tells twice a second. Nothing here can change anything.

import { draw } from "./chart.js";

const MEANING = {
  CONNECTING: ["busy", "waiting for the devices"],
  SURVEYING: ["busy", "looking for emitters, and visiting each"],
  REGISTERING: ["busy", "finding where the known chip lies now"],
  LOCKING: ["busy", "going to the selected site and centring on its counts"],
  VERIFYING: ["busy", "proving that it is the site it is held for"],
  READY: ["good", "has its proven emitter; dark, since the output is off"],
  EMITTING: ["good", "single photons on the output"],
  RECOVERING: ["warn", "lost what it had, and is finding out why"],
  DEGRADED: ["warn", "no emitter that can be trusted"],
  SERVICE: ["warn", "an operator moves things by hand"],
  MOVING: ["busy", "on the way, asked for by hand"],
  SAFE: ["bad", "dark and still; heals by itself"],
  LATCHED: ["bad", "dark until the interlock is closed, or an operator says so"],
};
const DOUBT = {
  LASER_POWER: "laser power", TEMPERATURE: "temperature", CALIBRATION: "calibration out of date",
  BRIGHTNESS: "brightness low", PURITY: "purity bound exceeded", POINTING: "pointing lost",
};
const SPAN_S = 900;
const at = (name) => document.getElementById(name);
const past = []; // {at_ms, rate_cps, rate_sigma_cps, error_um}
let drawnPicture = null, writtenLines = -1;

function put(place, text, kind) {
  const node = typeof place === "string" ? at(place) : place;
  if (node.textContent !== text) node.textContent = text;
  if (kind !== undefined && node.className !== kind) node.className = kind;
  return node;
}

function made(kind, text = "", name = "") {
  return put(document.createElement(kind), text, name);
}

function digits(value, sigma) {
  if (value === null || value === undefined) return "not known";
  if (!sigma) return String(Number(value.toPrecision(4)));
  const places = Math.max(0, Math.min(9, 1 - Math.floor(Math.log10(sigma))));
  return value.toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places });
}

function pair(value, sigma) {
  return sigma && value !== null ? [digits(value, sigma), ` ± ${digits(sigma, sigma)}`] : [digits(value), ""];
}

function ago(age_s) {
  if (age_s === null || age_s === undefined) return "";
  if (age_s < 2) return "now";
  if (age_s < 120) return `${age_s.toFixed(0)} s ago`;
  return age_s < 7200 ? `${(age_s / 60).toFixed(0)} min ago` : `${(age_s / 3600).toFixed(1)} h ago`;
}

function card(title, [value, error], unit, more, age_s, doubted) {
  const box = made("div", "", doubted ? "doubted" : age_s > 30 ? "old" : "");
  const figure = made("p", value, "value");
  if (value !== "not known") figure.append(made("small", `${error} ${unit}`));
  box.append(made("h2", title), figure, made("p", [more, ago(age_s)].filter(Boolean).join(" · "), "more"));
  return box;
}

function showFigures(now) {
  const { brightness_cps: rate, purity, pointing, photons, tracking_loss: loss, power_uw: power } = now;
  const doubt = new Set(now.doubts), percent = (share) => `${(100 * share).toFixed(2)} %`;
  const known = (value) => value !== null && value !== undefined;
  const error = pointing ? Math.hypot(...pointing.error_nm.slice(0, 2)) : null;
  const sigma = pointing ? Math.hypot(...pointing.sigma_nm.slice(0, 2)) : null;
  const cards = [
    card("Brightness", pair(rate?.value ?? null, rate?.sigma), "clicks/s", "", rate?.age_s, doubt.has("BRIGHTNESS")),
    card("Purity g²(0)", pair(purity?.g2_zero ?? null, purity?.sigma), "",
      known(purity?.upper95) ? `below ${digits(purity.upper95, purity.sigma)} at 95 %` : "", purity?.age_s, doubt.has("PURITY")),
    card("Pointing, across", pair(error, sigma), "nm",
      known(pointing?.share_of_peak) ? `${percent(pointing.share_of_peak)} of the peak` : "", pointing?.age_s, doubt.has("POINTING")),
    card("Photons per trigger", pair(photons?.mean ?? null, photons ? (photons.high - photons.low) / 2 : 0), "", "", photons?.age_s),
    card("Spent on tracking", [known(loss?.value) ? percent(loss.value) : "not known", ""], "", "", loss?.age_s),
    card("Pump power", pair(power ? power.value / 1e3 : null, power ? power.sigma / 1e3 : 0), "mW",
      known(now.power_set_uw) ? `set to ${digits(now.power_set_uw / 1e3)} mW` : "", power?.age_s, doubt.has("LASER_POWER")),
  ];
  for (const [place, kelvin] of Object.entries(now.temperatures_k)) {
    cards.push(card(`Temperature, ${place}`, pair(kelvin.value - 273.15, kelvin.sigma), "°C", "", kelvin.age_s));
  }
  at("figures").replaceChildren(...cards);
}

function showStanding(now) {
  const [kind, meaning] = MEANING[now.state] ?? ["", ""];
  put("state", now.state, kind);
  put("meaning", [meaning, ...now.busy.map((word) => word.toLowerCase())].join(" · "));
  const doubts = now.doubts.map((name) => DOUBT[name] ?? name);
  put("trouble", [now.fault, now.latched, ...doubts].filter(Boolean).join(" · "));
  const interlock = { true: "closed", false: "OPEN", null: "not known" }[now.interlock_closed];
  const rows = [
    ["output", now.output ? "on" : "off"], ["tracking", now.tracking ? "on" : "off"],
    ["hold-off", now.hold_off_s ? `${now.hold_off_s.toFixed(0)} s left` : "none"],
    ["epoch", String(now.epoch)], ["interlock", interlock],
    ["chip", now.pose ? `turned by ${(now.pose.theta_rad * 180 / Math.PI).toFixed(3)}°, ${ago(now.pose.age_s)}` : "not recognised yet"],
  ];
  at("wishes").replaceChildren(...rows.flatMap(([name, value]) => [made("dt", name), made("dd", value)]));
  put("label", now.label);
  at("rig").hidden = !now.emulated;
  put("about", `${now.version} · serial ${now.serial} · run ${now.run} · up ${ago(now.uptime_s).replace(" ago", "")}`);
  document.title = `${now.state} · gansource`;
}

function showSurvey(now) {
  const running = now.state === "SURVEYING" && now.survey;
  at("survey").hidden = !running;
  if (!running) return;
  at("progress").value = now.survey.fraction;
  const left = now.survey.left_s === null ? "" : `, about ${now.survey.left_s.toFixed(0)} s left`;
  put("survey-words", `${(100 * now.survey.fraction).toFixed(0)} %${left}, ${now.survey.found} found`);
}

function showSites(now) {
  const rows = now.sites.map((site) => {
    const row = made("tr", "", [site.selected ? "selected" : "", site.state.toLowerCase()].join(" ").trim());
    const place = [site.x_um, site.y_um, site.z_um].map((um) => um.toFixed(3)).join(", ");
    const purity = site.g2 === null ? "" : pair(site.g2, site.g2_sigma).join("");
    row.append(...[site.id, site.state.toLowerCase(), place, digits(site.rate_cps), purity].map((text) => made("td", text)));
    return row;
  });
  at("sites").replaceChildren(...rows);
}

function showPicture(now) {
  put("picture-age", ago(now.picture_age_s));
  at("picture").hidden = now.picture_age_s === null;
  const taken = now.picture_age_s === null ? null : Math.round(Date.now() / 1e3 - now.picture_age_s);
  if (taken === null || Math.abs(taken - drawnPicture) < 2) return;
  drawnPicture = taken;
  at("picture").src = `api/picture.png?${taken}`;
}

function note(now) {
  const rate = now.brightness_cps;
  if (!rate || rate.age_s > 2) return;
  const at_ms = Date.now() - 1e3 * rate.age_s;
  if (past.length && at_ms - past.at(-1).at_ms < 900) return;
  const error_um = now.pointing?.error_nm.map((nm) => nm / 1e3) ?? null;
  past.push({ at_ms, rate_cps: rate.value, rate_sigma_cps: rate.sigma, error_um });
  while (past.length > SPAN_S * 1.2) past.shift();
}

function showCharts() {
  const dated = past.map((one) => ({ ...one, age_s: (Date.now() - one.at_ms) / 1e3 })).filter((one) => one.age_s < SPAN_S);
  const span_s = Math.max(60, Math.min(SPAN_S, dated[0]?.age_s ?? 60));
  const rate = dated.map((one) => ({ age_s: one.age_s, value: one.rate_cps, sigma: one.rate_sigma_cps }));
  draw(at("rate"), [{ points: rate, colour: "--x" }], span_s);
  const along = (axis) => dated.map((one) => ({ age_s: one.age_s, value: one.error_um ? 1e3 * one.error_um[axis] : null }));
  draw(at("error"), ["--x", "--y", "--z"].map((colour, axis) => ({ points: along(axis), colour })), span_s);
}

async function recall() {
  const { samples, lines } = await (await fetch("api/past")).json();
  const recalled = samples.map((one) => ({ ...one, at_ms: Date.now() - 1e3 * one.age_s }));
  past.unshift(...recalled.filter((one) => !past.length || one.at_ms < past[0].at_ms - 500));
  const items = lines.reverse().map(({ utc_s, level, message }) => {
    const item = made("li", "", level);
    item.append(made("time", new Date(1e3 * utc_s).toLocaleTimeString("en-GB")), message);
    return item;
  });
  at("story").replaceChildren(...items);
}

function show(now) {
  put("contact", "live", "badge good");
  showStanding(now);
  showSurvey(now);
  showFigures(now);
  showSites(now);
  showPicture(now);
  note(now);
  showCharts();
  if (now.lines_written !== writtenLines) {
    writtenLines = now.lines_written;
    recall().catch(() => {});
  }
}

const events = new EventSource("api/events");
events.onmessage = ({ data }) => show(JSON.parse(data));
events.onerror = () => put("contact", `no contact since ${new Date().toLocaleTimeString("en-GB")}`, "badge bad");
