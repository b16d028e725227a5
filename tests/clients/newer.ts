/** Responses of a service newer than the client: unknown values and fields don't prevent reading the rest. */

import assert from 'node:assert/strict';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {after, before, test} from 'node:test';

import {AccountsApi, Configuration, LinksApi, NoticesApi, instanceOfConnected, instanceOfNotConnected} from '#seller-accounts';
import {problem} from './app.js';

const customerIdentifier = 'me';
const seller = {id: 'https://id.example.com/1', name: 'Everyone Active', links: [], openingHours: {monday: '6-22'}};
const evidence = {status: 'withdrawn', entitlementName: 'Adult Resident', expiresAt: '2031-01-01T00:00:00Z', withdrawnBy: 'seller'};
const connected = {status: 'connected', seller, accessPasses: [], entitlementErrors: [], evidenceRequests: [evidence]};
const notConnected = {status: 'not_connected', seller, connect: {suggested: 'voice', voiceNumber: '01632 960508'}};
const at = '2030-01-01T00:00:00Z';
const link = {id: 'a', status: 'disputed', issuedAt: at, firstCallbackAt: at, lastCallbackAt: at, callbackCount: 1, sellers: []};
const unknownProblem = {type: 'urn:a:b', title: '', status: 451, detail: '', code: 'too_young', requestId: 'r', retryable: false, age: 9};
const RESPONSES: Record<string, [number, unknown]> = {
  '/v1/customers/me/accounts': [200, {
    customerIdentifier: 'rosie',
    accounts: [{status: 'suspended', seller, suspendedAt: at}, connected, notConnected],
    warnings: [{code: 'stale', detail: ''}],
    mood: 'fine',
  }],
  '/v1/customers/me/links': [200, {links: [link]}],
  '/v1/customers/me/notices': [451, unknownProblem],
};

const server = createServer((request, response) => {
  const [status, body] = RESPONSES[request.url ?? ''] ?? [404, {}];
  response.writeHead(status, {'Content-Type': 'application/json'}).end(JSON.stringify(body));
});
before(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
after(() => server.close());

function configuration(): Configuration {
  return new Configuration({basePath: `http://127.0.0.1:${(server.address() as AddressInfo).port}`});
}

test('an account with a new status keeps its seller, and the other accounts are read', async () => {
  const {accounts, warnings} = await new AccountsApi(configuration()).getAccounts({customerIdentifier});

  assert.deepEqual(accounts.map((account) => [account.status, account.seller.name]), [
    ['suspended', 'Everyone Active'],
    ['connected', 'Everyone Active'],
    ['not_connected', 'Everyone Active'],
  ]);
  const [suspended] = accounts;
  assert.ok(suspended && !instanceOfConnected(suspended) && !instanceOfNotConnected(suspended));
  assert.equal(warnings[0]?.code, 'stale');
});

test('new values inside an account are read as text, with all other fields', async () => {
  const {accounts} = await new AccountsApi(configuration()).getAccounts({customerIdentifier});

  const [request] = accounts.filter(instanceOfConnected)[0]?.evidenceRequests ?? [];
  assert.equal(request?.status, 'withdrawn');
  assert.deepEqual(request.expiresAt, new Date('2031-01-01T00:00:00Z'));
  assert.equal(accounts.filter(instanceOfNotConnected)[0]?.connect?.suggested, 'voice');
});

test('a link with a new status is read', async () => {
  const {links} = await new LinksApi(configuration()).listLinks({customerIdentifier});

  assert.deepEqual(links.map(({status}) => status), ['disputed']);
});

test('a problem with a new code is read', async () => {
  const {problem: error} = await problem(new NoticesApi(configuration()).listNotices({customerIdentifier}));

  assert.deepEqual([error.status, error.code, error.retryable], [451, 'too_young', false]);
});
