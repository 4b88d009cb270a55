import { add, type Children, h } from './dom.js';

/**
 * A place of a page whose content is drawn again and again: what has not changed stays as it is, with its focus, selection and
 * opened details.
 */
export class Slot {
  readonly element = h('div', { class: 'slot' });

  draw(...children: Children): void {
    const next = h('div', { class: 'slot' });
    add(next, children);
    const { element } = this;
    const opened = new Set([...element.querySelectorAll('details[open]')].map(nameOf));
    for (const details of next.querySelectorAll('details')) details.open = opened.has(nameOf(details));
    if (element.isEqualNode(next)) return;
    const focused = document.activeElement;
    const key = focused !== null && element.contains(focused) ? keyOf(focused) : null;
    element.replaceChildren(...next.childNodes);
    if (key !== null)
      [...element.querySelectorAll<HTMLElement>('a, button, input, summary, [tabindex]')]
        .find((e) => keyOf(e) === key)
        ?.focus();
  }
}

function nameOf(details: Element): string {
  return details.querySelector('summary')?.textContent ?? '';
}

function keyOf(element: Element): string {
  return `${element.tagName} ${element.id} ${element.getAttribute('href') ?? element.getAttribute('aria-label') ?? element.textContent}`;
}
