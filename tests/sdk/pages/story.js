// What each page plays, and where it sends it: the page's address ends with `#server,key`.
export const [server, key] = location.hash.slice(1).split(',')
export const traits = { email: 'Li.Lei@Example.com', plan: 'gold' }
export const order = { revenue: 99.5, products: [{ sku: 'tea', price: 12.5, quantity: 2 }] }
