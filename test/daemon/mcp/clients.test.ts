import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { expect } from 'chai';
import { CANARY, type Place, place } from './place.js';

const ERAS = [
  { era: 'legacy', version: '2025-11-25', options: {} },
  { era: 'modern', version: '2026-07-28', options: { versionNegotiation: { mode: { pin: '2026-07-28' } } } },
] as const;

for (const { era, version, options } of ERAS)
  describe(`the official client (${era})`, () => {
    let server: Place;
    let client: Client;

    before(async () => {
      server = await place();
      client = new Client({ name: 'test', version: '1' }, options);
      await client.connect(new StreamableHTTPClientTransport(new URL(server.url)));
    });
    after(async () => {
      await client.close();
      await server.close();
    });

    const started = async () => {
      const { structuredContent } = await client.callTool({ name: 'start_canary', arguments: CANARY });
      return (structuredContent as { canaryId: string }).canaryId;
    };

    it('agrees on a version and lists the tools', async () => {
      expect(client.getNegotiatedProtocolVersion()).to.equal(version);
      const { tools } = await client.listTools();
      expect(tools.slice(0, 2).map(({ name }) => name)).to.deep.equal(['search', 'fetch']);
    });

    // The client checks each answer by the tool's own schema.
    it('calls every tool that reads', async () => {
      await client.listTools();
      const canaryId = await started();
      const calls: [string, Record<string, unknown>][] = [
        ['search', { query: 'matriz' }],
        ['fetch', { id: `canary:${canaryId}` }],
        ['canary_status', { canaryId }],
        ['why', { id: canaryId }],
        ['why_math', { id: canaryId }],
        ['why_math', { id: 'unknown' }],
        ['list_canaries', {}],
        ['verify_log', {}],
      ];
      for (const [name, args] of calls) {
        const result = await client.callTool({ name, arguments: args });
        expect(result.isError, `${name}: ${JSON.stringify(result.content)}`).to.equal(undefined);
        expect(result.structuredContent, name).to.be.an('object');
      }
      const job = await client.callTool({ name: 'run_eval', arguments: { taskId: 'probe' } });
      const { jobId } = job.structuredContent as { jobId: string };
      const status = await client.callTool({ name: 'status', arguments: { jobId } });
      expect(status.structuredContent).to.include({ jobId });
    });

    it('reads resources, completes their names, and gets prompts', async () => {
      const canaryId = await started();
      const { resourceTemplates } = await client.listResourceTemplates();
      expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).to.deep.equal([
        'lukhas://canary/{id}',
        'lukhas://ledger/{seq}',
        'lukhas://policy/{id}',
      ]);
      const read = async (uri: string) => {
        const { contents } = await client.readResource({ uri });
        const [content] = contents as { uri: string; mimeType: string; text: string }[];
        expect(content).to.include({ uri, mimeType: 'application/json' });
        return JSON.parse(content!.text);
      };
      const status = await read(`lukhas://canary/${canaryId}`);
      expect(status).to.include({ canaryId, status: 'PENDING' });
      expect(await read('lukhas://ledger/0')).to.include({ seq: 0, kind: 'canary.requested' });
      expect((await read(`lukhas://policy/${status.policyDigest}`)).policy).to.deep.equal(status.policy);
      const { resources } = await client.listResources(undefined, { cacheMode: 'refresh' });
      expect(resources.map(({ uri }) => uri)).to.include.members([
        `lukhas://canary/${canaryId}`,
        `lukhas://policy/${status.policyDigest}`,
      ]);
      const complete = async (uri: string, name: string, value: string) =>
        (await client.complete({ ref: { type: 'ref/resource', uri }, argument: { name, value } })).completion.values;
      expect(await complete('lukhas://canary/{id}', 'id', canaryId.slice(0, 6))).to.include(canaryId);
      expect(await complete('lukhas://ledger/{seq}', 'seq', '0')).to.deep.equal(['0']);
      expect(await complete('lukhas://policy/{id}', 'id', status.policyDigest.slice(0, 3))).to.deep.equal([
        status.policyDigest,
      ]);
      const { prompts } = await client.listPrompts();
      expect(prompts.map(({ name }) => name)).to.deep.equal(['review_canary', 'prepare_evidence']);
      const { messages } = await client.getPrompt({ name: 'review_canary', arguments: { id: canaryId } });
      expect(JSON.stringify(messages)).to.include(
        '> matriz-v3 is waiting for its first check on its way from stage to production',
      );
    });

    it('hears how a wait goes, and has the answer when the state changes', async () => {
      const canaryId = await started();
      const heard: { progress: number; total?: number | undefined }[] = [];
      const waiting = client.callTool(
        { name: 'canary_status', arguments: { canaryId, waitSeconds: 20 } },
        {
          onprogress: (progress) => {
            heard.push(progress);
            // Another process's hand would do the same.
            if (heard.length === 1)
              void client.callTool({ name: 'abort_canary', arguments: { canaryId, reason: 'enough' } });
          },
        },
      );
      const { structuredContent } = await waiting;
      expect(structuredContent).to.include({ canaryId, status: 'ABORTED' });
      expect(heard[0]).to.include({ total: 20 });
    });

    it('is refused what is wrong, by its name', async () => {
      const { isError, content } = await client.callTool({ name: 'canary_status', arguments: { canary: 'c' } });
      expect(isError).to.equal(true);
      expect((content as { text: string }[])[0]?.text).to.include('canaryId: is missing');
      const code = await client.callTool({ name: 'no_such_tool', arguments: {} }).then(
        () => null,
        (caught: { code: number }) => caught.code,
      );
      expect(code).to.equal(-32602);
    });

    if (era === 'modern')
      it('subscribes to a canary', async () => {
        const canaryId = await started();
        const uri = `lukhas://canary/${canaryId}`;
        const told = new Promise((resolve) => {
          client.setNotificationHandler('notifications/resources/updated', ({ params }) => resolve(params.uri));
        });
        const subscription = await client.listen({ resourceSubscriptions: [uri] });
        await client.callTool({ name: 'abort_canary', arguments: { canaryId, reason: 'tell' } });
        expect(await told).to.equal(uri);
        await subscription.close();
      });
  });
