import { fragmentOf, type SortKey, type Subject, subjectAt, type Told } from '../lib/view/index.js';
import { Announcer } from './announcer.js';
import { session as askSession, Refused, type Session } from './ask.js';
import { CanaryPage } from './canary/page.js';
import { actionsOf } from './dialogs.js';
import { documentPage } from './document.js';
import { button, h, on, replace } from './dom.js';
import { evidencePage } from './evidence.js';
import { failure } from './failure.js';
import type { Filter } from './filter.js';
import { GatePage } from './gate.js';
import { JobPage } from './job.js';
import { keyboard } from './keys/keys.js';
import { Live } from './live.js';
import { entryPage } from './log/entry.js';
import { EntriesPage } from './log/list.js';
import { OverviewPage } from './overview.js';
import type { Page } from './page.js';
import { signInPage, whoAmI } from './sign-in.js';
import { startPage } from './start/page.js';

/** Drawn at most so often, however many events come in. */
const DRAW_MS = 250;
/** The daemon sends something at least every 15 s. */
const HEARTBEAT_S = 16;

const main = h('main', { id: 'main', tabindex: -1 });
const banner = h('p', { class: 'banner', role: 'status', hidden: true });
const heard = h('span', { class: 'quiet heard' });
const says = new Announcer();
const notice = h('div');
const account = h('span');

let who: Session | null = null;
let page: Page | null = null;
let drawing: number | null = null;
let dirty = new Set<string>();
let logged = false;
/** When, ms of `performance.now()`. */
let drawn = -DRAW_MS;

const now = (): number => Date.now();
const live = new Live((events) => heardOf(events));

function heardOf(events: readonly Told[]): void {
  for (const { data } of events)
    for (const key of ['canaryId', 'jobId', 'gate']) if (typeof data[key] === 'string') dirty.add(data[key]);
  logged ||= events.length === 0 || events.some(({ name }) => name !== 'metric');
  announce(events);
  if (drawing !== null) return;
  drawing = window.setTimeout(draw, Math.max(0, drawn + DRAW_MS - performance.now()));
}

function draw(): void {
  drawing = null;
  drawn = performance.now();
  const seen = dirty;
  dirty = new Set();
  tellConnection();
  if (live.connection === 'signed out') {
    signIn();
    return;
  }
  const entries = logged;
  logged = false;
  page?.heard(seen, entries);
}

function tellConnection(): void {
  const { connection, problem } = live;
  banner.hidden = problem === null || connection === 'live' || connection === 'signed out';
  if (!banner.hidden)
    replace(
      banner,
      connection === 'stale'
        ? `Not live: ${problem} What you see may be out of date. Trying again…`
        : `${problem} Trying again…`,
    );
  document.body.dataset['connection'] = connection;
  tellHeard();
}

function tellHeard(): void {
  const s = Math.round((performance.now() - live.heardAt) / 1000);
  const quiet = `last heard ${s} s ago`;
  // Silent for longer than the daemon ever is: perhaps still there, but what is shown is not called live any more.
  const connected = s < 2 ? 'live' : s <= HEARTBEAT_S ? `live; ${quiet}` : quiet;
  heard.textContent = live.connection === 'live' ? connected : live.connection;
}

function announce(events: readonly Told[]): void {
  const told = events.findLast(({ name }) =>
    ['promoted', 'rolled_back', 'blocked', 'aborted', 'failed', 'awaiting_approval'].includes(name),
  );
  if (told !== undefined)
    says.say(`${String(told.data['modelId'] ?? told.data['taskId'] ?? '')}: ${told.name.replaceAll('_', ' ')}`);
}

/** What was warned of when something was started, on the page of it. */
function warn(texts: readonly string[]): void {
  if (texts.length === 0) return;
  const said = h(
    'aside',
    { class: 'note warn', 'aria-label': 'Warnings' },
    h('strong', {}, 'Started, with warnings'),
    h(
      'ul',
      {},
      texts.map((text) => h('li', {}, text)),
    ),
    button('Dismiss', () => replace(notice)),
  );
  // After the page that is about to be shown.
  setTimeout(() => replace(notice, said));
}

function show(): void {
  const { hash } = location;
  const subject = subjectAt(hash);
  page?.leave?.();
  page = null;
  replace(notice);
  if (hash === '#/evidence') replace(main, evidencePage());
  else if (/^#\/start(\?|$)/.test(hash)) replace(main, startPage(hash, who, warn));
  else if (subject === null)
    replace(main, h('h1', {}, 'No such page'), h('p', {}, h('a', { href: '#/' }, 'All canaries')));
  else if (subject.kind === 'overview')
    showOverview({
      q: subject.q ?? '',
      state: subject.state ?? '',
      sort: (subject.sort as SortKey | undefined) ?? 'newest',
    });
  else if (subject.kind === 'canary')
    put(new CanaryPage(subject, now, (view) => actionsOf(view, who?.readOnly ?? false)));
  else if (subject.kind === 'entries') put(new EntriesPage(subject.filter));
  else if (subject.kind === 'log') replace(main, entryPage(subject.seq));
  else if (subject.kind === 'job') put(new JobPage(subject.name));
  else if (subject.kind === 'gate') put(new GatePage(subject.name, () => live.overview));
  else replace(main, documentPage(subject));
  document.title = `${main.querySelector('h1')?.textContent ?? nameOf(subject)} - lukhas`;
  for (const link of document.querySelectorAll('nav a')) {
    if (link.getAttribute('href') === hash.split('?')[0]) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

function showOverview(filter: Filter): void {
  const overview = new OverviewPage(
    () => live.overview,
    now,
    filter,
    ({ q, state, sort }) =>
      history.replaceState(null, '', fragmentOf({ kind: 'overview', q, state, sort: sort === 'newest' ? '' : sort })),
  );
  put(overview);
}

function put(shown: Page): void {
  page = shown;
  replace(main, shown.element);
}

/** Of what is not read yet. */
function nameOf(subject: Subject | null): string {
  if (subject?.kind === 'log') return `Entry ${subject.seq}`;
  return subject !== null && 'name' in subject ? subject.name : '';
}

function signIn(): void {
  page = null;
  document.body.dataset['connection'] = 'signed out';
  document.title = 'Sign in - lukhas';
  replace(
    main,
    signInPage(() => location.reload()),
  );
}

function shell(): void {
  const link = (href: string, text: string) => h('a', { href }, text);
  document.body.append(
    h('a', { class: 'skip', href: '#main' }, 'Skip to content'),
    h(
      'header',
      {},
      h('strong', {}, 'lukhas'),
      h(
        'nav',
        { 'aria-label': 'Pages' },
        link('#/', 'Canaries'),
        link('#/start', 'Start'),
        link('#/log', 'Log'),
        link('#/evidence', 'Evidence'),
      ),
      heard,
      account,
    ),
    banner,
    notice,
    main,
    h('footer', {}, keyboard()),
    says.element,
  );
  on(document.querySelector<HTMLAnchorElement>('.skip')!, {
    click: (event) => {
      event.preventDefault();
      main.focus();
    },
  });
}

async function begin(): Promise<void> {
  shell();
  try {
    who = await askSession();
  } catch (error) {
    // A daemon without sessions asks for no key, or says so at the first request.
    if (!(error instanceof Refused)) {
      replace(main, ...failure(error));
      return;
    }
  }
  replace(account, who === null ? null : whoAmI(who));
  if (who?.required && !who.signedIn) {
    signIn();
    return;
  }
  addEventListener('hashchange', () => {
    show();
    // A new page is read from its beginning; the first one has the focus where the browser puts it.
    main.focus();
  });
  show();
  setInterval(() => {
    tellHeard();
    page?.tick?.();
  }, 1000);
  await live.follow();
}

void begin();
