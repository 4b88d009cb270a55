import { button, h, on } from '../dom.js';

/** Kept only where somebody switched the keys off. */
const OFF = 'lukhas.keys';

const KEYS: readonly [string, string][] = [
  ['j / k', 'next / previous row'],
  ['Enter', 'open the row'],
  ['/', 'search canaries'],
  ['g o', 'overview'],
  ['g l', 'log'],
  ['g e', 'evidence'],
  ['n', 'start a canary'],
  ['w', 'why: the story of this canary'],
  ['a', 'abort'],
  ['p', 'promote by hand'],
  ['y / r', 'approve / reject'],
  ['?', 'these keys'],
];

/** Second keys after `g`, and where they lead. */
const PLACES: Readonly<Record<string, string>> = { o: '#/', l: '#/log', e: '#/evidence' };
/** How long the second key of two may take. */
const PAIR_MS = 1500;

/**
 * Single keys. None of them is taken from who writes or chooses something, from a dialog, or from the browser; and they can be
 * switched off (WCAG 2.1.4). What a key presses says so itself: `data-key` of a button.
 * @returns the button that shows the keys
 */
export function keyboard(): HTMLButtonElement {
  let after = Number.NEGATIVE_INFINITY;
  addEventListener('keydown', (event) => {
    if (isOff() || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.isComposing || document.querySelector('dialog[open]') !== null || takesKeys(event.target)) return;
    const { key, timeStamp } = event;
    const isPair = timeStamp - after < PAIR_MS;
    after = Number.NEGATIVE_INFINITY;
    if (key === 'g' && !isPair) after = timeStamp;
    else if (isPair && Object.hasOwn(PLACES, key)) location.hash = PLACES[key]!;
    else if (key === 'n') location.hash = '#/start';
    else if (key === '/') search();
    else if (key === 'j' || key === 'k') move(key === 'j' ? 1 : -1);
    else if (key === '?') help();
    else if (!press(key)) return;
    event.preventDefault();
  });
  return button('Keyboard', help, { 'aria-haspopup': 'dialog' });
}

function takesKeys(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches('input, textarea, select, [role=slider]'))
  );
}

/** The button that this key stands for, where there is one. */
function press(key: string): boolean {
  const found = /^[a-z]$/.test(key) ? document.querySelector<HTMLElement>(`main [data-key="${key}"]`) : null;
  found?.click();
  return found !== null;
}

/** The row whose link has the focus, or of which something has; else the first or last one. */
function move(by: 1 | -1): void {
  const links = [...document.querySelectorAll<HTMLAnchorElement>('main tbody tr')].flatMap(
    (row) => row.querySelector<HTMLAnchorElement>('a[href]') ?? [],
  );
  const at = links.findIndex((link) => link.closest('tr')?.contains(document.activeElement));
  const next = at < 0 ? (by > 0 ? 0 : links.length - 1) : at + by;
  links[next]?.focus();
}

function search(): void {
  const field = () => document.querySelector<HTMLInputElement>('#search');
  if (field() === null) {
    addEventListener('hashchange', () => field()?.focus(), { once: true });
    location.hash = '#/';
  } else field()?.focus();
}

function isOff(): boolean {
  try {
    return localStorage.getItem(OFF) === 'off';
  } catch {
    return false;
  }
}

function help(): void {
  const enabled = h('input', { type: 'checkbox', id: 'keys-on', checked: !isOff() });
  on(enabled, {
    change: () => {
      // Where nothing is kept, they stay on.
      try {
        if (enabled.checked) localStorage.removeItem(OFF);
        else localStorage.setItem(OFF, 'off');
      } catch {
        enabled.checked = true;
      }
    },
  });
  const dialog = h('dialog', { class: 'keys', 'aria-labelledby': 'keys-title' });
  dialog.append(
    h('h2', { id: 'keys-title' }, 'Keyboard'),
    h(
      'dl',
      {},
      KEYS.map(([keys, what]) => h('div', {}, h('dt', {}, h('kbd', {}, keys)), h('dd', {}, what))),
    ),
    h('p', { class: 'check' }, enabled, h('label', { for: 'keys-on' }, 'Single keys do something')),
    h(
      'p',
      { class: 'actions' },
      button('Close', () => dialog.close()),
    ),
  );
  on(dialog, { close: () => dialog.remove() });
  document.body.append(dialog);
  dialog.showModal();
}
