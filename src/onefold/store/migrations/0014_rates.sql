-- Rates of exchange: what one unit of a currency is in others on a day (days since 0001-01-01), as JSON.
create table rates (
  base text not null, day integer not null, rates text not null, primary key (base, day)
) without rowid
