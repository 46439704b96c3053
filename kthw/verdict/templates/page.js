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
for (const button of document.querySelectorAll('.kthw-copy')) {
  const said = button.textContent;
  button.hidden = false;
  button.addEventListener('click', async () => {
    await copied(button.parentElement.querySelector('pre').textContent);
    button.textContent = KTHW.copied;
    setTimeout(() => { button.textContent = said; }, 2000);
  });
}
const ways = JSON.parse((document.getElementById('kthw-ways') || { textContent: 'null' }).textContent);
const shown = document.getElementById('kthw-way');
function show(pair) {
  const [measured, broken, seen, alone] = ways.pairs[pair];
  const [a, b] = pair.split('-').map(n => ways.workers[n]);
  const said = ways.said;
  const link = number => made('a', `${said.cause} ${number}`, { href: `#cause-${number}` });
  const hops = made('ol', '', { class: 'kthw-hops' });
  ways.hops.forEach((hop, n) => {
    const numbers = broken[n] || [];
    const item = made('li', hop.replaceAll('{w}', n < 4 ? a : b), { class: numbers.length ? 'kthw-broken' : '' });
    for (const number of numbers) item.append(' ✗ ', link(number));
    if (seen && ![3, 4, 5].includes(n)) item.append(made('span', ` ${seen.includes(n) ? `● ${said.seen}` : `✗ ${said.never}`}`));
    hops.append(item);
  });
  const rows = ways.measured[measured];
  const table = made('table', '', { class: 'kthw-causes' });
  const head = made('tr');
  for (const key of ['protocol', 'size', 'outcome', 'lost', 'time']) head.append(made('th', said[key], { scope: 'col' }));
  table.append(head);
  for (const [sign, ...cells] of rows) {
    const row = made('tr');
    cells.forEach((cell, n) => row.append(made('td', n === 2 && sign ? `${sign} ${cell}` : cell)));
    table.append(row);
  }
  const parts = [made('h3', said.title.replace('{a}', a).replace('{b}', b)), hops];
  if (alone) {
    const line = made('p', `${said.unexplained} `);
    line.append(link(alone));
    parts.push(line);
  } else if (!Object.keys(broken).length && rows.length && rows.every(row => !row[0])) parts.push(made('p', said.through));
  parts.push(rows.length ? table : made('p', said.nothing));
  shown.replaceChildren(...parts);
  for (const cell of document.querySelectorAll('[data-pair]')) cell.classList.toggle('kthw-chosen', cell.dataset.pair === pair);
}
if (ways && shown) {
  shown.hidden = false;
  for (const cell of document.querySelectorAll('[data-pair]')) cell.addEventListener('click', event => {
    event.preventDefault();
    show(cell.dataset.pair);
    shown.scrollIntoView({ block: 'nearest' });
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
