import { fragmentOf, type SortKey, subjectAt, type Told } from '../lib/view/index.js';
import { session as askSession, Refused, type Session } from './ask.js';
import { CanaryPage, failure } from './canary.js';
import { actionsOf } from './dialogs.js';
import { documentPage } from './document.js';
import { h, on, replace } from './dom.js';
import { evidencePage } from './evidence.js';
import { Live } from './live.js';
import { type Filter, OverviewPage } from './overview.js';
import { signInPage, whoAmI } from './sign-in.js';

/** Drawn at most so often, however many events come in. */
const DRAW_MS = 250;
const ANNOUNCE_MS = 4_000;

const main = h('main', { id: 'main', tabindex: -1 });
const banner = h('p', { class: 'banner', role: 'status', hidden: true });
const heard = h('span', { class: 'quiet heard' });
const says = h('p', { class: 'visually-hidden', 'aria-live': 'polite' });
const account = h('span');

let who: Session | null = null;
let page: OverviewPage | CanaryPage | null = null;
let drawing: number | null = null;
let dirty = new Set<string>();
let announced = 0;

const now = (): number => Date.now();
const live = new Live((events) => heardOf(events));

function heardOf(events: readonly Told[]): void {
  for (const { data } of events) if (typeof data['canaryId'] === 'string') dirty.add(data['canaryId']);
  announce(events);
  if (drawing !== null) return;
  drawing = window.setTimeout(draw, DRAW_MS);
}

function draw(): void {
  drawing = null;
  const seen = dirty;
  dirty = new Set();
  tellConnection();
  if (live.connection === 'signed out') {
    signIn();
    return;
  }
  if (page instanceof OverviewPage) page.update();
  else if (page !== null && (seen.has(page.id) || live.connection !== 'live')) void page.refresh();
}

function tellConnection(): void {
  const { connection, problem } = live;
  banner.hidden = connection !== 'stale';
  if (connection === 'stale')
    replace(
      banner,
      `Not live: ${problem ?? 'the daemon does not answer.'} What you see may be out of date. Trying again…`,
    );
  document.body.dataset['connection'] = connection;
  tellHeard();
}

function tellHeard(): void {
  const s = Math.round((performance.now() - live.heardAt) / 1000);
  heard.textContent = live.connection === 'live' ? (s < 2 ? 'live' : `live; last heard ${s} s ago`) : live.connection;
}

/** One sentence at a time, and not more often than one can listen. */
function announce(events: readonly Told[]): void {
  const told = events.findLast(({ name }) =>
    ['promoted', 'rolled_back', 'blocked', 'aborted', 'failed', 'awaiting_approval'].includes(name),
  );
  if (told === undefined || performance.now() - announced < ANNOUNCE_MS) return;
  announced = performance.now();
  replace(says, `${String(told.data['modelId'] ?? told.data['taskId'] ?? '')}: ${told.name.replaceAll('_', ' ')}`);
}

function show(): void {
  const { hash } = location;
  const subject = subjectAt(hash);
  page = null;
  if (hash === '#/evidence') replace(main, evidencePage());
  else if (subject?.kind === 'overview')
    showOverview({
      q: subject.q ?? '',
      state: subject.state ?? '',
      sort: (subject.sort as SortKey | undefined) ?? 'newest',
    });
  else if (subject?.kind === 'canary') {
    const canary = new CanaryPage(subject.name, now, (view) => actionsOf(view, who?.readOnly ?? false));
    page = canary;
    replace(main, canary.element);
    void canary.refresh();
  } else if (subject !== null) replace(main, documentPage(subject));
  else replace(main, h('h1', {}, 'No such page'), h('p', {}, h('a', { href: '#/' }, 'All canaries')));
  main.focus();
}

function showOverview(filter: Filter): void {
  const overview = new OverviewPage(
    () => live.overview,
    now,
    filter,
    ({ q, state, sort }) =>
      history.replaceState(null, '', fragmentOf({ kind: 'overview', q, state, sort: sort === 'newest' ? '' : sort })),
  );
  page = overview;
  replace(main, overview.element);
}

function signIn(): void {
  page = null;
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
      h('nav', { 'aria-label': 'Pages' }, link('#/', 'Canaries'), link('#/evidence', 'Evidence')),
      heard,
      account,
    ),
    banner,
    main,
    says,
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
  addEventListener('hashchange', show);
  show();
  setInterval(() => {
    tellHeard();
    if (page instanceof OverviewPage) page.update(true);
    else page?.tick();
  }, 1000);
  await live.follow();
}

void begin();
