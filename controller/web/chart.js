// A figure over time on a canvas: lines with bands of one sigma, axes with round numbers.

const EDGE = { left: 58, right: 10, top: 8, bottom: 20 };

function roundStep(span, about) {
  const raw = span / about;
  const power = 10 ** Math.floor(Math.log10(raw));
  return power * [1, 2, 5, 10].find((times) => times * power >= raw);
}

function rangeOf(lines) {
  let low = Infinity, high = -Infinity;
  for (const { points } of lines) {
    for (const { value, sigma = 0 } of points) {
      if (value === null) continue;
      low = Math.min(low, value - sigma);
      high = Math.max(high, value + sigma);
    }
  }
  if (low > high) return null;
  const room = 0.08 * (high - low) || Math.abs(high) * 0.05 || 1;
  return [low - room, high + room];
}

function inWords(value, step) {
  if (Math.abs(value) >= 1e4) return `${Number((value / 1e3).toPrecision(4))}k`;
  return value.toFixed(Math.max(0, Math.min(6, -Math.floor(Math.log10(step)))));
}

function band(pen, points, x, y, colour) {
  const known = points.filter(({ value, sigma }) => value !== null && sigma);
  if (known.length < 2) return;
  pen.fillStyle = `${colour}40`;
  pen.beginPath();
  for (const point of known) pen.lineTo(x(point.age_s), y(point.value + point.sigma));
  for (const point of known.reverse()) pen.lineTo(x(point.age_s), y(point.value - point.sigma));
  pen.fill();
}

function line(pen, points, x, y, colour) {
  pen.strokeStyle = colour;
  pen.beginPath();
  let last = null; // a pause in the figures is a gap in the line
  for (const { age_s, value } of points) {
    if (value === null) { last = null; continue; }
    if (last === null || last - age_s > 5) pen.moveTo(x(age_s), y(value));
    else pen.lineTo(x(age_s), y(value));
    last = age_s;
  }
  pen.stroke();
}

export function draw(canvas, lines, span_s) {
  const scale = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  pen.font = "11px system-ui, sans-serif";
  const style = getComputedStyle(document.documentElement);
  const faint = style.getPropertyValue("--faint"), rule = style.getPropertyValue("--line");
  const range = rangeOf(lines);
  if (range === null) {
    pen.fillStyle = faint;
    pen.fillText("nothing measured yet", EDGE.left, height / 2);
    return;
  }
  const [low, high] = range;
  const x = (age_s) => EDGE.left + (width - EDGE.left - EDGE.right) * (1 - age_s / span_s);
  const y = (value) => EDGE.top + (height - EDGE.top - EDGE.bottom) * (high - value) / (high - low);
  pen.strokeStyle = rule;
  pen.fillStyle = faint;
  pen.textAlign = "right";
  const step = roundStep(high - low, 4);
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) {
    pen.beginPath(); pen.moveTo(EDGE.left, y(value)); pen.lineTo(width - EDGE.right, y(value)); pen.stroke();
    pen.fillText(inWords(value, step), EDGE.left - 6, y(value) + 4);
  }
  pen.textAlign = "center";
  const minutes = Math.max(1, Math.ceil(span_s / 60 / 6));
  for (let age = 0; age * 60 < span_s; age += minutes) {
    pen.fillText(age ? `-${age} min` : "now", Math.min(x(age * 60), width - 16), height - 5);
  }
  pen.lineWidth = 1.5;
  for (const { points, colour } of lines) {
    const ink = style.getPropertyValue(colour);
    band(pen, points, x, y, ink);
    line(pen, points, x, y, ink);
  }
}
