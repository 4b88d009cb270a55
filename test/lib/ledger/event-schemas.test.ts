import { expect } from 'chai';
import { LukhasError } from '../../../src/lib/errors.js';
import { checkEvent } from '../../../src/lib/ledger/event-schemas.js';
import type { EventDraft } from '../../../src/lib/ledger/events.js';
import { UPGRADES } from '../../../src/lib/ledger/versions.js';
import { EXAMPLES } from './examples.js';

const bad = (draft: unknown) => expect(() => checkEvent(draft as EventDraft)).to.throw(LukhasError);

describe('event schemas', () => {
  it('take an example of every kind', () => {
    expect(EXAMPLES.map((draft) => draft.kind)).to.have.members(Object.keys(UPGRADES));
    for (const draft of EXAMPLES) checkEvent(draft);
  });

  it('refuse a member missing, misspelt, or of another type, in every kind', () => {
    for (const draft of EXAMPLES) {
      const [name] = Object.keys(draft.data) as [string];
      const { [name]: _, ...rest } = draft.data as Record<string, unknown>;
      bad({ ...draft, data: rest }).with.property('code', 'USAGE');
      bad({ ...draft, data: { ...draft.data, unheard: 1 } });
      bad({ ...draft, data: { ...draft.data, [name]: Symbol.for('no type of ours') } });
      bad({ ...draft, data: null });
    }
  });

  it('say what is wrong and where', () => {
    bad({ ...EXAMPLES[0], kind: 'canary.started', subject: 'c1', data: { startedAt: '1' } }).with.property(
      'message',
      'The event canary.started of c1 cannot be recorded: data.startedAt: Invalid input: expected number, received string',
    );
  });

  it('refuse unknown kinds, local times and empty subjects', () => {
    bad({ ...EXAMPLES[0], kind: 'canary.invented' });
    bad({ ...EXAMPLES[0], kind: 'toString' });
    bad({ ...EXAMPLES[0], ts: '2026-01-02T03:04:05+01:00' });
    bad({ ...EXAMPLES[0], ts: 'yesterday' });
    bad({ ...EXAMPLES[0], subject: '' });
  });
});
