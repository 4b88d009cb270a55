import { visible } from '../lib/input/index.js';

type Child = Node | string | number | null | undefined | false;
export type Children = readonly (Child | readonly Child[])[];
type Listeners = Partial<{ [K in keyof HTMLElementEventMap]: (event: HTMLElementEventMap[K]) => void }>;
type Attributes = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** An element; text is always text, and what came from outside shows every character that could mislead. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Children
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  setAll(element, attributes);
  add(element, children);
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

export function s(tag: string, attributes: Attributes = {}, ...children: Children): SVGElement {
  const element = document.createElementNS(SVG, tag);
  setAll(element, attributes);
  add(element, children);
  return element;
}

export function on<E extends HTMLElement>(element: E, listeners: Listeners): E {
  for (const [name, listener] of Object.entries(listeners)) element.addEventListener(name, listener as EventListener);
  return element;
}

/** Text of several lines, each in a line of its own. */
export function lines(text: string, attributes: Attributes): HTMLPreElement {
  return h(
    'pre',
    { tabindex: 0, ...attributes },
    text.split('\n').map((line) => h('span', { class: 'line' }, line)),
  );
}

/** Names with their values; those without a value are left out. */
export function facts(list: readonly (readonly [name: string, value: Child])[]): HTMLElement {
  return h(
    'dl',
    { class: 'facts' },
    list.map(
      ([name, value]) => value !== null && value !== undefined && h('div', {}, h('dt', {}, name), h('dd', {}, value)),
    ),
  );
}

/** A button that does something, with what it does in words. */
export function button(text: string, act: () => void, attributes: Attributes = {}): HTMLButtonElement {
  return on(h('button', { type: 'button', ...attributes }, text), { click: act });
}

export function replace(element: Element, ...children: Children): void {
  element.replaceChildren();
  add(element, children);
}

function setAll(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
}

export function add(element: Element, children: Children): void {
  for (const child of children.flat() as Child[]) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : visible(String(child)));
  }
}
