/** Listing accounts and the whole linking journey through the client. Errors are tested in `errors.ts`. */

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {AccountsApi, LinksApi, NoticesApi, RecordsApi, instanceOfConnected, instanceOfNotConnected} from '#seller-accounts';
import {API_URL, IMIN_URL, errorResponse, signIn, submit} from './app.js';

const customerIdentifier = 'me';
const rosie = await signIn('rosie');
const accountsApi = new AccountsApi(rosie);
const linksApi = new LinksApi(rosie);
const noticesApi = new NoticesApi(rosie);

test('accounts are listed, with a type for each status', async () => {
  const {accounts, warnings} = await accountsApi.getAccounts({customerIdentifier});

  assert.deepEqual(accounts.map(({status}) => status), ['not_connected', 'not_connected', 'connected']);
  assert.deepEqual(warnings, []);
  const [connected] = accounts.filter(instanceOfConnected);
  assert.deepEqual(connected?.connectedAt, new Date('2021-01-27T12:00:00Z'));
  assert.equal(connected.accessPasses[0]?.text, '0012345678905');
  assert.deepEqual(accounts.filter(instanceOfNotConnected).map(({emailMatches}) => emailMatches), [true, false]);
});

test('accounts are filtered by status', async () => {
  const {accounts} = await accountsApi.getAccounts({customerIdentifier, status: 'connected'});

  assert.deepEqual(accounts.map(({seller}) => seller.name), ['Better Leisure']);
});

test('an unchanged list is a 304', async () => {
  const first = await accountsApi.getAccountsRaw({customerIdentifier});
  const ifNoneMatch = first.raw.headers.get('ETag') ?? '';

  const second = await errorResponse(accountsApi.getAccounts({customerIdentifier, ifNoneMatch}));

  assert.match(ifNoneMatch, /^"[^"]+"$/);
  assert.equal(second.status, 304);
});

test('an account is connected, read and disconnected, and the records are erased', async () => {
  // Given a list with connect URLs
  const redirectUri = 'brokerapp://linked';
  const listed = await accountsApi.getAccounts({customerIdentifier, redirectUri});
  const [account] = listed.accounts.filter(instanceOfNotConnected);
  const linkId = listed.link?.id ?? '';
  assert.equal(account?.connect?.suggested, 'existing');

  // When the customer logs in at imin, and the browser follows the redirect
  const login = {email: 'rosie@example.com', password: 'rosie-password'};
  const callback = await submit(account.connect.existingAccountUrl ?? '', login);
  assert.ok(callback.startsWith(`${API_URL}/v1/link-callbacks/`));
  const redirect = await fetch(callback, {redirect: 'manual'});

  // Then the browser is redirected to the app, and the link is confirmed
  assert.equal(redirect.headers.get('Location'), `brokerapp://linked?linkId=${linkId}&status=confirmed`);
  const link = await linksApi.getLink({customerIdentifier, linkId});
  assert.equal(link.status, 'confirmed');
  assert.deepEqual(link.sellers.map(({name}) => name), ['Everyone Active']);
  const {accounts} = await accountsApi.getAccounts({customerIdentifier, sellerId: account.seller.id});
  assert.deepEqual(accounts.filter(instanceOfConnected).map(({connectedAt}) => connectedAt), [link.sellers[0]?.connectedAt]);

  // When the customer disconnects the account at imin, then there is a notice
  await submit(`${IMIN_URL}/local/disconnect`, {customer: 'rosie', seller: 'everyone-active'});
  const {notices} = await noticesApi.listNotices({customerIdentifier});
  assert.deepEqual(notices.map(({type}) => type), ['CustomerAccount']);

  // When the records are erased, then nothing is listed
  assert.equal((await linksApi.listLinks({customerIdentifier})).links.length, 1);
  await new RecordsApi(rosie).eraseRecords({customerIdentifier});
  assert.deepEqual((await linksApi.listLinks({customerIdentifier})).links, []);
  assert.deepEqual((await noticesApi.listNotices({customerIdentifier})).notices, []);
});

test('links are listed page by page', async () => {
  // Given two links with a callback
  const redirectUri = 'brokerapp://linked';
  for (const _ of [1, 2]) {
    const {accounts} = await accountsApi.getAccounts({customerIdentifier, redirectUri});
    const [account] = accounts.filter(instanceOfNotConnected);
    await fetch(await submit(account?.connect?.newAccountUrl ?? '', {cancel: 'yes'}), {redirect: 'manual'});
  }

  // When the links are listed one per page
  const first = await linksApi.listLinks({customerIdentifier, limit: 1});
  const second = await linksApi.listLinks({customerIdentifier, limit: 1, cursor: first.nextCursor});

  // Then the newest is first, and the second page is the last
  assert.ok(first.links[0] && second.links[0]);
  assert.ok(first.links[0].id > second.links[0].id);
  assert.equal(second.nextCursor, undefined);
});
