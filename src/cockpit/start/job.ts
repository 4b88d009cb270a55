import { fragmentOf } from '../../lib/view/index.js';
import { post, Refused } from '../ask.js';
import { h, on, replace } from '../dom.js';
import type { Choices } from './choices.js';
import { Field } from './field.js';
import { newKey } from './key.js';

/** Runs a configured task. */
export function jobForm({ tasks }: Choices): HTMLElement {
  const select = h(
    'select',
    { id: 'start-taskId' },
    tasks.map(({ id }) => h('option', { value: id }, id)),
  );
  const about = h('p', { class: 'quiet', id: 'start-taskId-hint' });
  select.setAttribute('aria-describedby', about.id);
  const describe = (): void => replace(about, tasks.find(({ id }) => id === select.value)?.description);
  describe();
  const config = new Field({ name: 'configId', label: 'Configuration', hint: 'Passed to the task; may be left out.' });
  const dryRun = h('input', { type: 'checkbox', id: 'start-job-dryRun' });
  const problem = h('p', { class: 'bad', role: 'alert' });
  let key = newKey();
  let asking = false;
  const run = async (): Promise<void> => {
    if (asking) return;
    asking = true;
    replace(problem);
    try {
      const asked = { taskId: select.value, configId: config.text === '' ? null : config.text, dryRun: dryRun.checked };
      const job = await post<{ jobId: string }>('/api/job/start', asked, { headers: { 'Idempotency-Key': key } });
      if (job !== null) location.hash = fragmentOf({ kind: 'job', name: job.jobId });
    } catch (error) {
      if (error instanceof Refused) key = newKey();
      replace(
        problem,
        error instanceof Refused ? error.message : 'The daemon does not answer. Try again: nothing is started twice.',
      );
    } finally {
      asking = false;
    }
  };
  const form = h(
    'form',
    { class: 'start', novalidate: true },
    h(
      'fieldset',
      {},
      h('legend', {}, 'Task'),
      h(
        'div',
        { class: 'pair' },
        h('div', { class: 'field' }, h('label', { for: 'start-taskId' }, 'Task'), select, about),
        config.element,
      ),
    ),
    h('p', { class: 'check' }, dryRun, h('label', { for: 'start-job-dryRun' }, 'Dry run: passed to the task')),
    problem,
    h('p', { class: 'actions' }, h('button', { type: 'submit' }, 'Run task')),
  );
  return on(form, {
    input: describe,
    submit: (event) => {
      event.preventDefault();
      void run();
    },
  });
}
