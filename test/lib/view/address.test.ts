import { expect } from 'chai';
import {
  cockpitAddress,
  documentAddress,
  fragmentOf,
  type Subject,
  subjectAt,
  subjectOfDocument,
} from '../../../src/lib/view/index.js';

const NAMES = [
  'c-m8k2x0',
  'eu/prod@v2:a',
  'a b',
  '100%',
  '#x?y=1&z',
  'ünï/코드',
  '<script>',
  '..',
  '%2F',
  'why#numbers',
];
const KINDS = ['canary', 'job', 'gate', 'promotion', 'policy', 'docs'] as const;

describe('addresses of the cockpit', () => {
  it('are those that links name', () => {
    expect(fragmentOf({ kind: 'overview' })).to.equal('#/');
    expect(fragmentOf({ kind: 'overview', q: 'fraud-v2', state: 'RUNNING', sort: 'newest' })).to.equal(
      '#/?q=fraud-v2&state=RUNNING&sort=newest',
    );
    expect(fragmentOf({ kind: 'canary', name: 'c-1' })).to.equal('#/canary/c-1');
    expect(fragmentOf({ kind: 'gate', name: 'eu/production' })).to.equal('#/gate/eu%2Fproduction');
    expect(fragmentOf({ kind: 'log', seq: 12 })).to.equal('#/log/12');
    expect(fragmentOf({ kind: 'canary', name: 'c-1', why: true })).to.equal('#/canary/c-1?why');
    expect(fragmentOf({ kind: 'entries', filter: { before: '120', kind: 'gate' } })).to.equal(
      '#/log?before=120&kind=gate',
    );
  });

  it('are read back as what they were written from, whatever the name', () => {
    const subjects: Subject[] = [
      { kind: 'overview' },
      { kind: 'log', seq: 0 },
      { kind: 'entries', filter: {} },
      { kind: 'canary', name: 'c-1', why: true },
      ...NAMES.map((about): Subject => ({ kind: 'entries', filter: { about, model: about } })),
      ...NAMES.flatMap((name): Subject[] => [
        ...KINDS.map((kind) => ({ kind, name })),
        { kind: 'overview', q: name, state: 'BLOCKED' },
        { kind: 'overview', sort: name },
      ]),
    ];
    for (const subject of subjects) {
      const fragment = fragmentOf(subject);
      expect(fragment).to.match(/^#\/[\w%.~!*'()?=&+-]*(\/[\w%.~!*'()-]+(\?why)?)?$/);
      expect(subjectAt(fragment), fragment).to.deep.equal(subject);
    }
    expect(subjectAt('')).to.deep.equal({ kind: 'overview' });
  });

  it('are none of what is no page', () => {
    for (const fragment of ['#/canary', '#/canary/', '#/log/-1', '#/log/01', '#/log/x', '#/nothing/1', '#/gate/a/b'])
      expect(subjectAt(fragment), fragment).to.equal(null);
    expect(subjectAt('#/gate/%E0%A4%A')).to.equal(null);
  });

  it('are known of every kind of document that the search finds', () => {
    const base = 'http://127.0.0.1:8766';
    expect(documentAddress(base, 'canary:c-1')).to.equal(`${base}/cockpit.html#/canary/c-1`);
    expect(documentAddress(base, 'event:12')).to.equal(`${base}/cockpit.html#/log/12`);
    expect(documentAddress(base, 'model:fraud-v2')).to.equal(`${base}/cockpit.html#/?q=fraud-v2`);
    expect(documentAddress(base, 'doc:why#numbers')).to.equal(`${base}/cockpit.html#/docs/why%23numbers`);
    for (const kind of ['job', 'gate', 'promotion', 'policy'])
      expect(documentAddress(base, `${kind}:a:b`)).to.equal(`${base}/cockpit.html#/${kind}/a%3Ab`);
    for (const id of ['', 'canary:', 'c-1', 'event:x', 'secret:1']) {
      expect(subjectOfDocument(id), id).to.equal(null);
      expect(documentAddress(base, id)).to.equal('');
    }
  });

  it('lie below the base, which may have a path of its own; without one there is none', () => {
    const subject: Subject = { kind: 'canary', name: 'c-1' };
    expect(cockpitAddress('https://ops.example.com/lukhas/', subject)).to.equal(
      'https://ops.example.com/lukhas/cockpit.html#/canary/c-1',
    );
    expect(cockpitAddress(null, subject)).to.equal('');
  });
});
