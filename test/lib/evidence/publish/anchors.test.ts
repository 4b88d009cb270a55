import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { AnchorPlace, bodyOf } from './place.js';

describe('anchors', () => {
  let at: AnchorPlace;
  beforeEach(async () => {
    at = await AnchorPlace.make();
  });
  afterEach(() => at.remove());

  describe('a file', () => {
    it('gets a line for each checkpoint, and nothing of it is ever taken away', async () => {
      const path = join(at.dir, 'anchor.ndjson');
      await at.tell({ kind: 'file', path });
      await appendFile(path, '{"torn":');
      at.log.grow(2);
      await at.tell({ kind: 'file', path });
      const lines = (await readFile(path, 'utf8')).split('\n');
      expect(lines).to.have.length(4);
      expect(lines[1]).to.equal('{"torn":');
      const { root, ...rest } = await at.kept();
      const line = JSON.parse(lines[2]!) as object;
      expect(line).to.deep.equal({ ts: '2026-01-02T03:04:05.000Z', ...rest, root: root.toString('hex') });
      expect(JSON.parse(lines[0]!)).to.include({ size: 3, note: at.log.note(3) });
    });

    it('says so when it cannot be written', async () => {
      const error = await at.failure({ kind: 'file', path: join(at.dir, 'missing', 'anchor') });
      expect(error.code).to.equal('ANCHOR_FAILED');
      expect(error.message)
        .to.include(join(at.dir, 'missing', 'anchor'))
        .and.include('ENOENT');
    });
  });

  describe('a webhook', () => {
    it('gets the note as it is', async () => {
      const got: [string | undefined, string][] = [];
      const url = await at.serve((request, response) => {
        void bodyOf(request).then((body) => {
          got.push([request.headers['content-type'], body.toString()]);
          response.writeHead(204).end();
        });
      });
      expect(await at.tell({ kind: 'webhook', url })).to.equal('accepted (204)');
      expect(got).to.deep.equal([['text/plain; charset=utf-8', at.log.note()]]);
    });

    it('has failed when it does not take it, or sends elsewhere', async () => {
      let status = 500;
      const url = await at.serve((_, response) =>
        response.writeHead(status, { location: '/x' }).end('no room\nat all'),
      );
      expect((await at.failure({ kind: 'webhook', url })).message).to.equal(`${url}: rejected: 500 no room`);
      status = 302;
      expect((await at.failure({ kind: 'webhook', url })).code).to.equal('ANCHOR_FAILED');
    });
  });
});
