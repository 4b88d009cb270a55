import { fragmentOf, overviewOf } from '../../lib/view/index.js';
import { overview, type Session } from '../ask.js';
import { h, replace } from '../dom.js';
import { failure } from '../failure.js';
import { choices } from './choices.js';
import { StartForm } from './form.js';
import { jobForm } from './job.js';

/** The page that starts things. @param hash `#/start?model=...&from=...&to=...` fills in the form */
export function startPage(hash: string, who: Session | null, notice: (texts: readonly string[]) => void): HTMLElement {
  const element = h('div', {}, h('h1', {}, 'Start a canary'));
  if (who?.readOnly === true) {
    element.append(h('p', {}, 'This daemon was started with --read-only: it cannot start anything.'));
    return element;
  }
  const body = h('div', {}, h('p', { role: 'status' }, 'Loading…'));
  element.append(body);
  Promise.all([choices(), overview()]).then(
    ([known, lists]) => {
      const begun = (canaryId: string, warnings: readonly string[]): void => {
        location.hash = fragmentOf({ kind: 'canary', name: canaryId });
        notice(warnings);
      };
      const form = new StartForm(known, overviewOf(lists), new URLSearchParams(hash.split('?')[1] ?? ''), begun);
      replace(
        body,
        known.source === 'none' &&
          h(
            'p',
            { class: 'note warn' },
            'No metrics source is configured, so no canary can start. Run lukhas init, then restart the daemon.',
          ),
        form.element,
        h('h2', {}, 'Run a job'),
        jobForm(known),
      );
    },
    (error: unknown) => replace(element, ...failure(error)),
  );
  return element;
}
