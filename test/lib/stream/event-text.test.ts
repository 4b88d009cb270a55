import { expect } from 'chai';
import fc from 'fast-check';
import { eventText } from '../../../src/daemon/sse/frames.js';
import { EventText } from '../../../src/lib/stream/event-text.js';

describe('the text of an event stream', () => {
  it('is read as it was written, in whatever pieces it comes', () => {
    const events = fc.array(
      fc.record({
        name: fc.constantFrom('metric', 'promoted'),
        data: fc.dictionary(fc.string(), fc.string({ unit: 'grapheme' })),
      }),
    );
    fc.assert(
      fc.property(events, fc.array(fc.nat(200)), (sent, cuts) => {
        const whole = sent
          .map(({ name, data }, i) => `${i % 3 === 0 ? ': keep-alive\n\n' : ''}${eventText(`${i}.1`, name, data)}`)
          .join('');
        const text = `retry: 731\n${eventText('0.0', 'open', {})}${whole}`;
        const reader = new EventText();
        const read = [];
        let from = 0;
        for (const cut of [...cuts, text.length]) {
          read.push(...reader.push(text.slice(from, from + cut)));
          from += cut;
        }
        const own = sent.map(({ name, data }, i) => ({ id: `${i}.1`, name, data }));
        expect(read.slice(1).map(({ id, name }) => ({ id, name }))).to.deep.equal(
          own.map(({ id, name }) => ({ id, name })),
        );
        expect(read).to.have.lengthOf(own.length + 1);
        expect(reader.retryMs).to.equal(731);
        expect(reader.lastId).to.equal(own.at(-1)?.id ?? '0.0');
      }),
    );
  });
});
