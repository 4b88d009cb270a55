import { h, on } from './dom.js';

/** Downloads an evidence pack of a window. */
export function evidencePage(): HTMLElement {
  const from = h('input', { id: 'from', value: '30d', required: true, 'aria-describedby': 'from-help' });
  const to = h('input', { id: 'to', placeholder: 'now' });
  const form = on(
    h(
      'form',
      { class: 'evidence-form' },
      h('h1', {}, 'Evidence'),
      h(
        'p',
        {},
        'A signed zip of all that was logged in a window. Check it with lukhas verify, or with the commands in its VERIFY.md.',
      ),
      h('label', { for: 'from' }, 'From'),
      from,
      h('p', { id: 'from-help', class: 'quiet' }, 'How long ago (30d, 12h), or a time: 2026-03-01T00:00:00Z'),
      h('label', { for: 'to' }, 'To'),
      to,
      h('p', {}, h('button', { type: 'submit', class: 'main' }, 'Download')),
    ),
    {
      submit: (event) => {
        event.preventDefault();
        const query = new URLSearchParams({
          from: from.value.trim(),
          ...(to.value.trim() === '' ? {} : { to: to.value.trim() }),
        });
        const link = h('a', { href: `/evidence/export?${query}`, download: '' });
        document.body.append(link);
        link.click();
        link.remove();
      },
    },
  );
  return form;
}
