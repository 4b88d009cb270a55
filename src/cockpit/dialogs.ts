import type { CanaryView } from '../lib/view/index.js';
import { post, Refused } from './ask.js';
import { button, h, on, replace } from './dom.js';

type Verb = 'abort' | 'promote' | 'approve' | 'reject';

const WORDS: Readonly<Record<Verb, { title: string; what: string }>> = {
  abort: {
    title: 'Abort this canary?',
    what: 'It ends at once and is not promoted. Your reason is recorded in the log.',
  },
  promote: {
    title: 'Promote this canary by hand?',
    what: 'No evidence certifies it: your name and reason are recorded as an override.',
  },
  approve: {
    title: 'Approve the promotion?',
    what: 'Your approval is bound to the evidence and the gate as they are now.',
  },
  reject: { title: 'Reject the promotion?', what: 'The canary stays blocked. Your reason is recorded in the log.' },
};

/** The key that presses the button. */
const KEYS: Readonly<Record<Verb, string>> = { abort: 'a', promote: 'p', approve: 'y', reject: 'r' };

const LOOK: Readonly<Record<Verb, string>> = { abort: 'danger', promote: 'main', approve: 'main', reject: 'danger' };

/** What a person may do with a canary now. */
export function actionsOf({ row, canary }: CanaryView, readOnly: boolean): HTMLElement | null {
  if (readOnly) return null;
  const verbs: Verb[] =
    row.approval?.state === 'awaiting'
      ? ['approve', 'reject']
      : row.state === 'RUNNING' || row.state === 'PENDING'
        ? ['abort']
        : row.state === 'BLOCKED' && canary.action.state === 'none'
          ? ['promote']
          : [];
  if (verbs.length === 0) return null;
  return h(
    'p',
    { class: 'actions' },
    verbs.map((verb) =>
      button(capital(verb), () => ask(row.id, verb), {
        class: LOOK[verb],
        'data-key': KEYS[verb],
      }),
    ),
  );
}

/** Asks for a reason, then does it; what the daemon refuses stays in the dialog. */
function ask(id: string, verb: Verb): void {
  const { title, what } = WORDS[verb];
  const reason = h('textarea', {
    id: 'reason',
    rows: 3,
    required: true,
    maxlength: 1000,
    'aria-describedby': 'reason-help',
  });
  const problem = h('p', { class: 'bad', role: 'alert' });
  const dialog = h('dialog', { 'aria-labelledby': 'dialog-title' });
  const close = (): void => dialog.close();
  const form = on(
    h(
      'form',
      {},
      h('h2', { id: 'dialog-title' }, title),
      h('p', { id: 'reason-help' }, what),
      h('label', { for: 'reason' }, 'Reason'),
      reason,
      problem,
      h(
        'p',
        { class: 'actions' },
        h('button', { type: 'submit', class: LOOK[verb] }, capital(verb)),
        button('Cancel', close),
      ),
    ),
    {
      submit: (event) => {
        event.preventDefault();
        post(`/api/canary/${verb}`, { id, reason: reason.value.trim() }).then(close, (error: unknown) => {
          replace(problem, error instanceof Refused ? error.withAdvice : 'The daemon does not answer.');
        });
      },
    },
  );
  dialog.append(form);
  on(dialog, { close: () => dialog.remove() });
  document.body.append(dialog);
  dialog.showModal();
  reason.focus();
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
