import { Refused } from './ask.js';
import { button, h } from './dom.js';

/** What is shown where something could not be read. */
export function failure(error: unknown): HTMLElement[] {
  const message = error instanceof Refused ? error.message : 'The daemon does not answer. Is lukhas serve running?';
  return [
    h('h1', {}, 'Not shown'),
    h('p', { class: 'bad', role: 'alert' }, message),
    h(
      'p',
      {},
      button('Try again', () => location.reload()),
    ),
  ];
}
