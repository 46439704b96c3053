// Only comfort: without it every cause and every command is there. KTHW is what the page says besides.
document.documentElement.lang = KTHW.language;
const made = (tag, text, attributes) => {
  const element = Object.assign(document.createElement(tag), { textContent: text || '' });
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
  return element;
};
async function copied(text) {
  try { await navigator.clipboard.writeText(text); return; } catch (refused) { /* an old browser, or a file */ }
  const area = made('textarea', text, { style: 'position:fixed;opacity:0' });
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}
for (const paste of document.querySelectorAll('.kthw-paste')) {
  const button = made('button', KTHW.copy, { type: 'button', class: 'kthw-copy' });
  button.addEventListener('click', async () => {
    await copied(paste.querySelector('pre').textContent);
    button.textContent = KTHW.copied;
    setTimeout(() => { button.textContent = KTHW.copy; }, 2000);
  });
  paste.prepend(button);
}
const ways = JSON.parse((document.getElementById('kthw-ways') || { textContent: 'null' }).textContent);
const shown = document.getElementById('kthw-way');
const at = (runs, n) => { let k = 0; while (n >= runs[k + 1]) { n -= runs[k + 1]; k += 2; } return runs[k]; };
const link = number => made('a', `${ways.said.cause} ${number}`, { href: `#cause-${number}` });
function way(n, m, seen, broken) {
  const hops = made('ol', '', { class: 'kthw-hops' });
  ways.hops.forEach((hop, k) => {
    const numbers = broken[k] || [];
    const item = made('li', hop.replaceAll('{w}', ways.workers[k < 4 ? n : m]), { class: numbers.length ? 'kthw-broken' : '' });
    for (const number of numbers) item.append(' ✗ ', link(number));
    if (seen && ![3, 4, 5].includes(k)) item.append(made('span', ` ${seen.includes(k) ? `● ${ways.said.seen}` : `✗ ${ways.said.never}`}`));
    hops.append(item);
  });
  return hops;
}
function inTheWay(n, m) {
  const which = at(ways.broken[n], m), broken = {};
  if (which < 0) return broken;
  for (const number of new Set([...ways.from[n], ...ways.to[m], ...ways.sets[which]])) {
    const [near, far, worker] = ways.causes[number];
    (broken[worker === n ? near : far] ||= []).push(number);
  }
  return broken;
}
function show(n, m) {
  const said = ways.said, pair = `${n}-${m}`, broken = inTheWay(n, m);
  const which = at(ways.came[n], m), rows = which < 0 ? [] : ways.measured[which], times = ways.times[pair] || [];
  const [there, back, sentence] = ways.traced[pair] || [];
  const table = made('table', '', { class: 'kthw-causes' });
  const head = made('tr');
  for (const key of ['protocol', 'size', 'outcome', 'lost', 'time']) head.append(made('th', said[key], { scope: 'col' }));
  table.append(head);
  rows.forEach(([sign, ...cells], k) => {
    const row = made('tr');
    [...cells, times[k] ? `${times[k].toLocaleString(KTHW.language)} ms` : ''].forEach((cell, c) => row.append(made('td', c === 2 && sign ? `${sign} ${cell}` : cell)));
    table.append(row);
  });
  const parts = [made('h3', said.title.replace('{a}', ways.workers[n]).replace('{b}', ways.workers[m])), way(n, m, there, broken)];
  if (rows.length && rows.every(row => !row[0]) || back && back.length) parts.push(made('p', said.back), way(m, n, back, {}));
  if (sentence) parts.push(made('p', sentence));
  if (ways.alone[pair]) {
    const line = made('p', `${said.unexplained} `);
    line.append(link(ways.alone[pair]));
    parts.push(line);
  } else if (!Object.keys(broken).length && rows.length && rows.every(row => !row[0])) parts.push(made('p', said.through));
  parts.push(rows.length ? table : made('p', said.nothing));
  document.getElementById('kthw-way-told').replaceChildren(...parts);
  for (const cell of document.querySelectorAll('[data-pair]')) cell.classList.toggle('kthw-chosen', cell.dataset.pair === pair);
}
if (ways && shown) {
  shown.hidden = false;
  for (const cell of document.querySelectorAll('[data-pair]')) cell.addEventListener('click', event => {
    event.preventDefault();
    show(...cell.dataset.pair.split('-').map(Number));
    shown.scrollIntoView({ block: 'nearest' });
  });
}
const heat = document.getElementById('kthw-heat');
if (ways && heat) {
  // A matrix of many is one picture: a pair is the place that was clicked, or two names.
  const ends = ['from', 'to'].map(which => {
    const label = made('label', `${ways.said[which]} `), list = made('select');
    for (const worker of ways.workers) list.append(made('option', worker));
    label.append(list);
    return [label, list];
  });
  shown.querySelector('.kthw-choose').append(...ends.map(each => each[0]));
  const [from, to] = ends.map(each => each[1]), many = ways.workers.length;
  const mark = document.getElementById('kthw-chosen');
  const choose = () => {
    const [n, m] = [from.selectedIndex, to.selectedIndex], size = heat.width.baseVal.value / many;
    mark.setAttribute('transform', `translate(${heat.x.baseVal.value + m * size} ${heat.y.baseVal.value + n * size})`);
    if (n !== m) show(n, m);
  };
  from.addEventListener('change', choose);
  to.addEventListener('change', choose);
  heat.ownerSVGElement.addEventListener('click', event => {
    const place = heat.getBoundingClientRect();
    const [m, n] = [(event.clientX - place.left) / place.width, (event.clientY - place.top) / place.height].map(part => Math.floor(part * many));
    if (n === m || n < 0 || m < 0 || n >= many || m >= many) return;
    from.selectedIndex = n;
    to.selectedIndex = m;
    choose();
  });
}
// Who unfolds the names of a row's workers does not unfold the row.
document.addEventListener('click', event => { if (event.target.closest('.col-worker summary')) event.stopPropagation(); }, true);
document.addEventListener('DOMContentLoaded', () => {
  const main = made('main');
  main.append(...document.body.childNodes);
  document.body.append(main);
  // It ends a list by beginning another.
  for (const stray of document.querySelectorAll('#environment ul > ul')) stray.remove();
  // pytest-html's own words, in the chosen language, put in place once the page is there.
  for (const [where, said] of Object.entries(KTHW.words)) {
    const found = document.querySelector('p' + where) || document.querySelector(where);
    if (found) found.textContent = said;
  }
  // It writes a comma after each outcome, those there are none of being hidden.
  for(const said of document.querySelectorAll('.filters span'))said.textContent=said.textContent.replace(/,$/,'')
  for (const box of document.querySelectorAll('.filters input')) box.setAttribute('aria-label', (box.nextElementSibling || box).textContent);
});
