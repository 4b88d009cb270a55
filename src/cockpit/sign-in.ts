import { post, Refused, type Session } from './ask.js';
import { button, h, on, replace } from './dom.js';

/** The page of somebody who is not signed in. The key goes into one request and is kept nowhere. */
export function signInPage(done: () => void): HTMLElement {
  const key = h('input', { id: 'key', type: 'password', autocomplete: 'off', required: true });
  const problem = h('p', { class: 'bad', role: 'alert' });
  const form = on(
    h(
      'form',
      { class: 'sign-in' },
      h('h1', {}, 'Sign in'),
      h('p', {}, 'This daemon asks for an API key. You stay signed in for 12 hours, or until the daemon restarts.'),
      h('label', { for: 'key' }, 'API key'),
      key,
      problem,
      h('p', {}, h('button', { type: 'submit', class: 'main' }, 'Sign in')),
    ),
    {
      submit: (event) => {
        event.preventDefault();
        const given = key.value;
        key.value = '';
        post('/login', { key: given }).then(done, (error: unknown) => {
          replace(problem, error instanceof Refused ? error.message : 'The daemon does not answer.');
        });
      },
    },
  );
  return form;
}

/** Who is signed in, with the way out. */
export function whoAmI({ required, signedIn, who }: Session): HTMLElement | null {
  if (!required || !signedIn) return null;
  const out = (): void => {
    const reload = (): void => location.reload();
    post('/logout', {}).then(reload, reload);
  };
  return h('span', { class: 'who' }, `signed in as ${who ?? 'a key'} `, button('Sign out', out));
}
