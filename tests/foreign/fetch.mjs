// Downloads a file from one gateway, as any IPFS node would: node fetch.mjs MULTIADDR CID > file
import { trustlessGatewayBlockBroker } from '@helia/trustless-gateway-client'
import { unixfs } from '@helia/unixfs'
import { multiaddr } from '@multiformats/multiaddr'
import { createHeliaLight } from 'helia'
import { CID } from 'multiformats/cid'

const [place, cid] = process.argv.slice(2)
const router = {
  name: 'one gateway',
  async * findProviders () {
    yield { id: undefined, multiaddrs: [multiaddr(place)], protocols: [], routing: 'one gateway' }
  }
}
const broker = trustlessGatewayBlockBroker({ allowInsecure: true, allowLocal: true })
const helia = await createHeliaLight({ routers: [router], blockBrokers: [broker] }).start()
for await (const bytes of unixfs(helia).cat(CID.parse(cid))) {
  process.stdout.write(bytes)
}
await helia.stop()
