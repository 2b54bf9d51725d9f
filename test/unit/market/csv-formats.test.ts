/** Files as programs and sites write them: each is read as the same two bars, or refused with what to say. */
import { expect, test } from 'vitest'
import { parseCsv } from '../../../src/market/read-csv.js'
import type { Reading } from '../../../src/market/reading.js'

interface Sample {
  readonly name: string
  readonly text: string
  readonly reading?: Reading
  /** ISO times of the bars. */
  readonly times: readonly string[]
  /** open, high, low, close, volume of the first. */
  readonly first: readonly number[]
  /** What the warnings must say, together. */
  readonly warns?: readonly RegExp[]
}

const DAYS = ['2020-01-02', '2020-01-03']
const MINUTES = ['2020-01-02T09:30', '2020-01-02T09:31']
const BAR = [1.5, 2, 1, 1.75, 100]

const SAMPLES: readonly Sample[] = [
  { name: 'MetaTrader 4', text: '2020.01.02,09:30,1.5,2,1,1.75,100\n2020.01.02,09:31,1.5,2,1,1.75,100\n', times: MINUTES, first: BAR },
  { name: 'MetaTrader 4, a row a day', text: '2020.01.02,00:00,1.5,2,1,1.75,100\n2020.01.03,00:00,1.5,2,1,1.75,100\n', times: DAYS, first: BAR },
  { name: 'MetaTrader 5, currencies', text: '<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n2020.01.02\t09:30:00\t1.5\t2\t1\t1.75\t100\t0\t12\n2020.01.02\t09:31:00\t1.5\t2\t1\t1.75\t100\t0\t12\n',
    times: MINUTES, first: BAR, warns: [/"<TICKVOL>" is taken and "<VOL>" left/] },
  { name: 'MetaTrader 5, shares', text: '<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n2020.01.02\t09:30:00\t1.5\t2\t1\t1.75\t7\t100\t12\n2020.01.02\t09:31:00\t1.5\t2\t1\t1.75\t7\t100\t12\n',
    times: MINUTES, first: BAR, warns: [/"<VOL>" is taken and "<TICKVOL>" left/] },
  { name: 'MetaTrader 5, days', text: '<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n2020.01.02\t1.5\t2\t1\t1.75\t100\t0\t1\n2020.01.03\t1.5\t2\t1\t1.75\t100\t0\t1\n', times: DAYS, first: BAR },
  { name: 'Stooq', text: '<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\nAAPL.US,5,20200102,093000,1.5,2,1,1.75,100,0\nAAPL.US,5,20200102,093100,1.5,2,1,1.75,100,0\n', times: MINUTES, first: BAR },
  { name: 'Stooq, days', text: '<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\nAAPL.US,D,20200102,000000,1.5,2,1,1.75,100,0\nAAPL.US,D,20200103,000000,1.5,2,1,1.75,100,0\n', times: DAYS, first: BAR },
  { name: 'MetaStock', text: '<TICKER>,<PER>,<DTYYYYMMDD>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\nEURUSD,1,20200102,0930,1.5,2,1,1.75,100,0\nEURUSD,1,20200102,0931,1.5,2,1,1.75,100,0\n', times: MINUTES, first: BAR },
  { name: 'date and time, lower case', text: 'date,time,open,high,low,close,volume\n2020-01-02,09:30,1.5,2,1,1.75,100\n2020-01-02,09:31,1.5,2,1,1.75,100\n', times: MINUTES, first: BAR },
  { name: 'time before date', text: 'Time,Date,Open,High,Low,Close,Volume\n9:30 AM,2020-01-02,1.5,2,1,1.75,100\n9:31 AM,2020-01-02,1.5,2,1,1.75,100\n', times: MINUTES, first: BAR },
  { name: 'a time without its zero', text: 'Date,Time,Open,High,Low,Close,Volume\n20200102,93000,1.5,2,1,1.75,100\n20200102,93100,1.5,2,1,1.75,100\n', times: MINUTES, first: BAR },
  { name: 'Kibot, America', text: '01/13/2020,09:30,1.5,2,1,1.75,100\n01/13/2020,09:31,1.5,2,1,1.75,100\n', times: ['2020-01-13T09:30', '2020-01-13T09:31'], first: BAR, warns: [/read as MM\/DD\/YYYY: "01\/13\/2020" in line 1/] },
  { name: 'Dukascopy', text: 'Gmt time,Open,High,Low,Close,Volume\n13.01.2020 09:30:00.000,1.5,2,1,1.75,100\n13.01.2020 09:31:00.000,1.5,2,1,1.75,100\n', times: ['2020-01-13T09:30', '2020-01-13T09:31'], first: BAR, warns: [/DD\.MM\.YYYY/] },
  { name: 'HistData', text: '20200102 093000;1.5;2;1;1.75;100\n20200102 093100;1.5;2;1;1.75;100\n', times: MINUTES, first: BAR },
  { name: 'Postgres COPY', text: 'ts,open,high,low,close,volume\n2020-01-02 09:30:00+00,1.5,2,1,1.75,100\n2020-01-02 11:31:00+02,1.5,2,1,1.75,100\n', times: MINUTES, first: BAR },
  { name: 'CR line ends', text: 'date,open,high,low,close,volume\r2020-01-02,1.5,2,1,1.75,100\r2020-01-03,1.5,2,1,1.75,100\r', times: DAYS, first: BAR },
  { name: 'CR line ends without the last', text: 'date,open,high,low,close,volume\r2020-01-02,1.5,2,1,1.75,100\r\r2020-01-03,1.5,2,1,1.75,100', times: DAYS, first: BAR },
  { name: 'thousands in quotes', text: 'date,open,high,low,close,volume\n2020-01-02,"1,001.5","1,002","1,001","1,001.75","1,234,567"\n2020-01-03,1,2,1,2,5\n', times: DAYS, first: [1001.5, 1002, 1001, 1001.75, 1234567], warns: [/"1,002" in line 2: its comma was read as a sign of thousands/] },
  { name: 'Nasdaq', text: 'Date,Close/Last,Volume,Open,High,Low\n01/14/2020,$1.75,100,$1.5,$2,$1\n01/13/2020,$1.75,100,$1.5,$2,$1\n', times: ['2020-01-13', '2020-01-14'], first: BAR },
  { name: 'Nasdaq, days that could be months', text: 'Date, Close/Last, Volume, Open, High, Low\n01/03/2020, $1.75, 100, $1.5, $2, $1\n01/02/2020, $1.75, 100, $1.5, $2, $1\n', reading: { date_format: 'MM/DD/YYYY' }, times: DAYS, first: BAR },
  { name: 'Nasdaq with thousands', text: 'Date,Close/Last,Volume,Open,High,Low\n01/14/2020,"$3,001.75",100,"$3,001.5","$3,002.0","$3,001.0"\n', times: ['2020-01-14'], first: [3001.5, 3002, 3001, 3001.75, 100] },
  { name: 'CryptoDataDownload', text: 'https://www.CryptoDataDownload.com\nunix,date,symbol,open,high,low,close,Volume BTC,Volume USDT,tradecount\n1578043800000,2020-01-03 09:30:00,BTC/USDT,1.5,2,1,1.75,100,175,7\n1577957400000,2020-01-02 09:30:00,BTC/USDT,1.5,2,1,1.75,100,175,7\n',
    times: ['2020-01-02T09:30', '2020-01-03T09:30'], first: BAR, warns: [/"Volume BTC" is taken and "Volume USDT" left/, /"date" is taken and "unix" left/, /first line of x\.csv \("https:.*is passed over: the header is in line 2/] },
  { name: 'CryptoDataDownload, hours with AM and PM', text: 'http://www.cryptodatadownload.com\r\nDate,Symbol,Open,High,Low,Close,Volume USD,Volume BTC\r\n2020-01-02 01-PM,BTCUSD,1.5,2,1,1.75,9,100\r\n2020-01-02 12-PM,BTCUSD,1.5,2,1,1.75,9,100\r\n2020-01-02 12-AM,BTCUSD,1.5,2,1,1.75,9,100\r\n',
    times: ['2020-01-02T00:00', '2020-01-02T12:00', '2020-01-02T13:00'], first: BAR, warns: [/"Volume BTC" is taken and "Volume USD" left/] },
  { name: 'Bitstamp on Kaggle', text: 'Timestamp,Open,High,Low,Close,Volume_(BTC),Volume_(Currency),Weighted_Price\n1577957400,1.5,2,1,1.75,100,175,1.6\n1577957460,1.5,2,1,1.75,100,175,1.6\n', times: MINUTES, first: BAR, warns: [/"Volume_\(BTC\)" is taken/] },
  { name: 'yfinance', text: 'Price,Adj Close,Close,High,Low,Open,Volume\nTicker,AAPL,AAPL,AAPL,AAPL,AAPL,AAPL\nDate,,,,,,\n2020-01-02,1.7,1.75,2,1,1.5,100\n2020-01-03,1.7,1.75,2,1,1.5,100\n', times: DAYS, first: BAR },
  { name: 'yfinance, minutes', text: 'Price,Close,High,Low,Open,Volume\nTicker,AAPL,AAPL,AAPL,AAPL,AAPL\nDatetime,,,,,\n2020-01-02 09:30:00+00:00,1.75,2,1,1.5,100\n2020-01-02 09:31:00+00:00,1.75,2,1,1.5,100\n', times: MINUTES, first: BAR },
  { name: 'yfinance, older', text: ',Adj Close,Close,High,Low,Open,Volume\n,AAPL,AAPL,AAPL,AAPL,AAPL,AAPL\nDate,,,,,,\n2020-01-02,1.7,1.75,2,1,1.5,100\n2020-01-03,1.7,1.75,2,1,1.5,100\n', times: DAYS, first: BAR },
  { name: 'yfinance, one of two tickers', text: 'Price,Close,Close,High,High,Low,Low,Open,Open,Volume,Volume\nTicker,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT\nDate,,,,,,,,,,\n2020-01-02,9,1.75,9,2,9,1,9,1.5,9,100\n2020-01-03,9,1.75,9,2,9,1,9,1.5,9,100\n', reading: { ticker: 'MSFT' }, times: DAYS, first: BAR },
  { name: 'yfinance by ticker', text: 'Ticker,MSFT,MSFT,MSFT,MSFT,MSFT\nPrice,Open,High,Low,Close,Volume\nDate,,,,,\n2020-01-02,1.5,2,1,1.75,100\n2020-01-03,1.5,2,1,1.75,100\n', times: DAYS, first: BAR },
  { name: 'German, with the names said', text: 'Datum;Eröffnung;Hoch;Tief;Schluss;Volumen\n13.01.2020;1,5;2;1,0;1,75;100\n14.01.2020;1,5;2;1,0;1,75;1.100\n', reading: { columns: { time: 'Datum', open: 'Eröffnung', high: 'Hoch', low: 'Tief', close: 'Schluss', volume: 'Volumen' }, decimal: ',' }, times: ['2020-01-13', '2020-01-14'], first: BAR },
  { name: 'a day that is named and a time beside it', text: 'Datum,Time,open,high,low,close,volume\n2020-01-02,09:30,1.5,2,1,1.75,100\n2020-01-02,09:31,1.5,2,1,1.75,100\n', reading: { columns: { date: 'Datum' } }, times: MINUTES, first: BAR },
  { name: 'a time of day that nothing names', text: 'date,Uhrzeit,open,high,low,close,volume\n2020-01-02,17:30,1.5,2,1,1.75,100\n2020-01-03,17:30,1.5,2,1,1.75,100\n', times: DAYS, first: BAR, warns: [/has "17:30" under "Uhrzeit", which is not read\. .*--columns date=date,time=Uhrzeit/] },
  { name: 'a zone in a column of its own', text: 'date,time,GMT Offset,open,high,low,close,volume\n2020-01-02,09:30,-5,1.5,2,1,1.75,100\n2020-01-02,09:31,-5,1.5,2,1,1.75,100\n', times: MINUTES, first: BAR, warns: [/has "-5" under "GMT Offset", which is not read: its times are taken as UTC/] },
  { name: 'a zone that is UTC', text: 'date,tz,open,high,low,close,volume\n2020-01-02 09:30,UTC,1.5,2,1,1.75,100\n2020-01-02 09:31,UTC,1.5,2,1,1.75,100\n', times: MINUTES, first: BAR },
  { name: 'rows that end with a separator', text: 'date,open,high,low,close,volume\n2020-01-02,1.5,2,1,1.75,100,\n2020-01-03,1.5,2,1,1.75,100, ,\n', times: DAYS, first: BAR },
  { name: 'quotes in quotes', text: 'date,note,open,high,low,close,volume\n2020-01-02,"a ""b"", c",1.5,2,1,1.75,100\n2020-01-03,"""",1.5,2,1,1.75,100\n', times: DAYS, first: BAR },
  { name: 'days of 7 fields without a header', text: '2020-01-02,1.5,2,1,1.75,100,7\n2020-01-03,1.5,2,1,1.75,100,7\n', times: DAYS, first: BAR, warns: [/has 7 fields and no header: the 6th is taken as volume and the 7th left/] },
  { name: 'Python with an offset', text: 'date,open,high,low,close,volume\n02/01/2020 10:30:00+0100,1.5,2,1,1.75,100\n02/01/2020 10:31:00+0100,1.5,2,1,1.75,100\n', reading: { date_format: '%d/%m/%Y %H:%M:%S%z' }, times: MINUTES, first: BAR },
  { name: 'German day and time of day', text: 'Datum;Zeit;open;high;low;close;volume\n2020-01-02;09:30;1.5;2;1;1.75;100\n2020-01-02;09:31;1.5;2;1;1.75;100\n', reading: { columns: { date: 'Datum', time: 'Zeit' } }, times: MINUTES, first: BAR },
  { name: 'Investing.com', text: '"Date","Price","Open","High","Low","Vol.","Change %"\n"Jan 03, 2020","1.75","1.5","2","1","1.25K","0.1%"\n"Jan 02, 2020","1.75","1.5","2","1","0.10K","0.1%"\n', times: DAYS, first: BAR },
  { name: 'CoinMarketCap', text: 'timeOpen;timeClose;timeHigh;timeLow;name;open;high;low;close;volume;marketCap;timestamp\n"2020-01-03T00:00:00.000Z";"2020-01-03T23:59:59.999Z";"2020-01-03T01:00:00.000Z";"2020-01-03T02:00:00.000Z";"2781";1.5;2;1;1.75;100;9;"2020-01-03T23:59:59.999Z"\n"2020-01-02T00:00:00.000Z";"2020-01-02T23:59:59.999Z";"2020-01-02T01:00:00.000Z";"2020-01-02T02:00:00.000Z";"2781";1.5;2;1;1.75;100;9;"2020-01-02T23:59:59.999Z"\n',
    times: DAYS, first: BAR, warns: [/"timeOpen" is taken and "timestamp" left/] },
  { name: 'Yahoo', text: 'Date,Open,High,Low,Close,Adj Close,Volume\n2020-01-02,1.5,2,1,1.75,1.7,100\n2020-01-03,1.5,2,1,1.75,1.7,100\n', times: DAYS, first: BAR },
  { name: 'Yahoo of old with null rows', text: 'Date,Open,High,Low,Close,Adj Close,Volume\n2020-01-02,1.5,2,1,1.75,1.7,100\n2020-01-02,null,null,null,null,null,null\n2020-01-03,1.5,2,1,1.75,1.7,100\n', reading: { skip_bad: true }, times: DAYS, first: BAR, warns: [/1 of 3 rows of x\.csv cannot be bars and was left out: line 3 has "null" as open/] },
  { name: 'Alpha Vantage', text: 'timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient\n2020-01-03,1.5,2,1,1.75,1.7,100,0,1\n2020-01-02,1.5,2,1,1.75,1.7,100,0,1\n', times: DAYS, first: BAR },
  { name: 'Alpha Vantage, numbered', text: ',1. open,2. high,3. low,4. close,5. volume\n2020-01-03,1.5,2,1,1.75,100\n2020-01-02,1.5,2,1,1.75,100\n', times: DAYS, first: BAR },
  { name: 'Polygon', text: 'ticker,volume,open,close,high,low,window_start,transactions\nAAPL,100,1.5,1.75,2,1,1577957400000000000,7\nAAPL,100,1.5,1.75,2,1,1577957460000000000,7\n', times: MINUTES, first: BAR },
  { name: 'Kraken', text: '1577957400,1.5,2,1,1.75,100,7\n1577957460,1.5,2,1,1.75,100,7\n', times: MINUTES, first: BAR },
  { name: 'IBKR', text: 'date,open,high,low,close,volume,average,barCount\n20200102  09:30:00,1.5,2,1,1.75,100,1.6,7\n20200102  09:31:00,1.5,2,1,1.75,100,1.6,7\n', times: MINUTES, first: BAR },
  { name: 'IBKR without its volume', text: 'date,open,high,low,close,volume\n20200102,1.5,2,1,1.75,-1\n20200103,1.5,2,1,1.75,-1\n', reading: { columns: { volume: '' } }, times: DAYS, first: [1.5, 2, 1, 1.75, 0], warns: [/no volume/] },
  { name: 'CoinAPI', text: 'time_period_start;time_period_end;time_open;time_close;price_open;price_high;price_low;price_close;volume_traded;trades_count\n2020-01-02T09:30:00.0000000Z;2020-01-02T09:31:00.0000000Z;2020-01-02T09:30:02.1Z;2020-01-02T09:30:58.2Z;1.5;2;1;1.75;100;7\n2020-01-02T09:31:00.0000000Z;2020-01-02T09:32:00.0000000Z;2020-01-02T09:31:02.1Z;2020-01-02T09:31:58.2Z;1.5;2;1;1.75;100;7\n', times: MINUTES, first: BAR, warns: [/"time_period_start" is taken and "time_open" left/] },
  { name: 'five years of shares, one of them', text: 'date,open,high,low,close,volume,Name\n2020-01-02,9,9,9,9,9,AAL\n2020-01-03,x,9,9,9,9,AAL\n2020-01-02,1.5,2,1,1.75,100,AAPL\n2020-01-03,1.5,2,1,1.75,100,AAPL\n', reading: { ticker: 'AAPL' }, times: DAYS, first: BAR },
  { name: 'tickers side by side in time', text: 'symbol,date,open,high,low,close,volume\nA,2020-01-02,9,9,9,9,9\n"B",2020-01-02,1.5,2,1,1.75,100\nA,2020-01-03,9,9,9,9,9\nB,2020-01-03,1.5,2,1,1.75,100\n', reading: { ticker: 'B' }, times: DAYS, first: BAR },
  { name: 'compact minutes', text: 'time,open,high,low,close,volume\n202001020930,1.5,2,1,1.75,100\n202001020931,1.5,2,1,1.75,100\n', times: MINUTES, first: BAR },
  { name: 'compact hours', text: 'time,open,high,low,close,volume\n2020010209,1.5,2,1,1.75,100\n2020010210,1.5,2,1,1.75,100\n', times: ['2020-01-02T09:00', '2020-01-02T10:00'], first: BAR },
  { name: 'compact seconds, headerless', text: '20200102093000,1.5,2,1,1.75,100\n20200102093100,1.5,2,1,1.75,100\n', times: MINUTES, first: BAR },
  { name: 'days of 1976 in milliseconds', text: `time,open,high,low,close,volume\n${Array.from({ length: 400 }, (_, i) => `${Date.UTC(1976, 0, 1 + i)},1.5,2,1,1.75,100\n`).join('')}`, times: Array.from({ length: 400 }, (_, i) => new Date(Date.UTC(1976, 0, 1 + i)).toISOString()), first: BAR },
  { name: 'a separator that Excel says', text: 'sep=;\ndate;open;high;low;close;volume\n2020-01-02;1.5;2;1;1.75;100\n2020-01-03;1.5;2;1;1.75;100\n', times: DAYS, first: BAR },
  {
    name: 'a German file, days that could be months', text: 'Datum;Eröffnung;Hoch;Tief;Schluss\n02.01.2020;1,5;2,0;1,0;1,75\n03.01.2020;1,5;2,0;1,0;1,75\n',
    reading: { columns: { time: 'Datum', open: 'Eröffnung', high: 'Hoch', low: 'Tief', close: 'Schluss' }, decimal: ',' }, times: DAYS, first: [1.5, 2, 1, 1.75, 0],
    warns: [/read as DD\.MM\.YYYY, as dates with points are written/],
  },
  { name: 'two digits of a year', text: 'Date,Open,High,Low,Close,Volume\n02-Jan-20,1.5,2,1,1.75,100\n03-Jan-20,1.5,2,1,1.75,100\n', reading: { date_format: 'DD-MMM-YY' }, times: DAYS, first: BAR },
  { name: 'a form of pandas with AM and PM', text: 'Date,Open,High,Low,Close,Volume\n01/02/2020 09:30:00 AM,1.5,2,1,1.75,100\n01/02/2020 12:00:00 PM,1.5,2,1,1.75,100\n', reading: { date_format: '%m/%d/%Y %I:%M:%S %p' }, times: ['2020-01-02T09:30', '2020-01-02T12:00'], first: BAR },
  { name: 'the order alone', text: 'Date,Time,Open,High,Low,Close,Volume\n2/1/2020,9:30,1.5,2,1,1.75,100\n2/1/2020,9:31,1.5,2,1,1.75,100\n', reading: { date_format: 'dmy' }, times: MINUTES, first: BAR },
]

test.each(SAMPLES)('$name', ({ text, reading, times, first, warns = [] }) => {
  const bars = parseCsv(new TextEncoder().encode(text), 'x.csv', reading)
  expect([...bars.time].map((ms) => new Date(ms).toISOString())).toEqual(times.map((time) => new Date(time.includes('T') && !time.endsWith('Z') ? `${time}Z` : time).toISOString()))
  expect([bars.open[0], bars.high[0], bars.low[0], bars.close[0], bars.volume[0]]).toEqual(first)
  for (const what of warns) expect(bars.meta.warnings.join('\n')).toMatch(what)
})

const ROWS = 'date,open,high,low,close,volume\n'
const VOLUMELESS: Reading = { columns: { open: 'Eröffnung' } }

test.each<readonly [name: string, text: string, reading: Reading, code: string, message: RegExp]>([
  ['a day or a month', `${ROWS}01/02/2020,1,2,1,2,5\n01/03/2020,1,2,1,2,5\n`, {}, 'DATA_INVALID', /line 2 \(row 1\) has "01\/02\/2020" as time, which could be 2020-01-02 \(MM\/DD\/YYYY\) or 2020-02-01 \(DD\/MM\/YYYY\)\. Say which: --date-format MM\/DD\/YYYY/],
  ['two digits of a year', `${ROWS}01/02/03,1,2,1,2,5\n`, {}, 'DATA_INVALID', /2003-01-02 \(MM\/DD\/YY\) or 2003-02-01 \(DD\/MM\/YY\) or 2001-02-03 \(YY\/MM\/DD\)/],
  ['one way and then the other', `${ROWS}01/13/2020,1,2,1,2,5\n13/01/2020,1,2,1,2,5\n`, {}, 'DATA_INVALID', /line 3 \(row 2\) has "13\/01\/2020" as time/],
  ['a date of another form than was said', `${ROWS}2020-01-02,1,2,1,2,5\n`, { date_format: 'MM/DD/YYYY' }, 'DATA_INVALID', /line 2 \(row 1\) has "2020-01-02" as time, which is not of the form MM\/DD\/YYYY, as --date-format says\./],
  ['minutes without a century', `${ROWS}2001020930,1,2,1,2,5\n2001020931,1,2,1,2,5\n2001020932,1,2,1,2,5\n`, {}, 'DATA_INVALID', /line 2 \(row 1\) .* would lie 1000 ms apart\. Read as YYMMDDHHmm or DDMMYYHHmm they make sense: say --date-format YYMMDDHHmm/],
  ['seconds without a century', `${ROWS}200102093000,1,2,1,2,5\n200102093100,1,2,1,2,5\n`, {}, 'DATA_INVALID', /100 ms apart\. Read as YYMMDDHHmmss they/],
  ['days before months and minutes', `${ROWS}310120200930,1,2,1,2,5\n310120200931,1,2,1,2,5\n`, {}, 'DATA_INVALID', /1 ms apart\. Read as DDMMYYYYHHmm or YYMMDDHHmmss they make sense: say --date-format DDMMYYYYHHmm/],
  ['a minute of 60 among a calendar\'s digits', `${ROWS}202001020959,1,2,1,2,5\n202001020960,1,2,1,2,5\n`, {}, 'DATA_INVALID', /line 3 \(row 2\) has "202001020960" as time, which is not a time/],
  ['a second of 60 among a calendar\'s digits', `${ROWS}20200102095959,1,2,1,2,5\n20200102095960,1,2,1,2,5\n`, {}, 'DATA_INVALID', /line 3 \(row 2\) has "20200102095960"/],
  ['a digit too many', `${ROWS}2020010209300,1,2,1,2,5\n2020010209310,1,2,1,2,5\n`, {}, 'DATA_INVALID', /is 2034-01-04T17:56:49\.300Z, and the bars would lie 10 ms apart/],
  ...['200102000000 200103000000 200106000000', '2001020000 2001030000 2001060000', '2020010209000000 2020010210000000', '2020010209000000000 2020010210000000000', '2020010290000 2020010291500 2020010293000', '202001029 202001030', '150120200900 150120201200'].map((times): readonly [string, string, Reading, string, RegExp] =>
    [`digits that are whole hours or days apart, ${times}`, `${ROWS}${times.split(' ').map((time) => `${time},1,2,1,2,5\n`).join('')}`, {}, 'DATA_INVALID', /as a count since 1970 is .*, and the bars would lie \d+ ms apart/]),
  ['JSON', '[{"date":"2020-01-02","open":1,"high":2,"low":1,"close":2}]', {}, 'DATA_FORMAT', /it is JSON/],
  ['JSON in lines', '[\n{"date":"2020-01-02","open":1,"high":2,"low":1,"close":2},\n', {}, 'DATA_FORMAT', /it is JSON/],
  ['rows of two exchanges', 'date,exchange,open,high,low,close\n2020-01-02,A,1,2,1,2\n2020-01-02,B,1,2,1,2\n', {}, 'DATA_ORDER', /line 3 .*repeats the time .* Not read of it is "exchange": what tells instruments apart is named with --columns ticker=…/],
  ['hours in a column of a name that is not known', 'date,hour,open,high,low,close\n2020-01-02,9,1,2,1,2\n2020-01-02,10,1,2,1,2\n', {}, 'DATA_ORDER', /Not read of it is "hour": .*a time of day with --columns date=…,time=…/],
  ...['pair', 'Asset', 'stock_code', 'isin', 'coin'].map((name): readonly [string, string, Reading, string, RegExp] =>
    [`several tickers under ${name} whose times ascend`, `date,${name},open,high,low,close\n2020-01-02,A,1,2,1,2\n2020-01-03,B,1,2,1,2\n`, {}, 'DATA_FORMAT', /several tickers: A, B/]),
  ['an hour twice', `${ROWS}2020-10-25 00:00,1,2,1,2,5\n2020-10-25 01:00,1,2,1,2,5\n2020-10-25 01:00,1,2,1,2,5\n`, {}, 'DATA_ORDER', /line 4 .*clocks went back an hour/],
  ['an hour twice in minutes', `${ROWS}2020-10-25 01:58,1,2,1,2,5\n2020-10-25 01:59,1,2,1,2,5\n2020-10-25 01:00,1,2,1,2,5\n2020-10-25 03:00,1,2,1,2,5\n`, {}, 'DATA_ORDER', /line 4 .*clocks went back an hour/],
  ['a zone by its name', `${ROWS}20220103 09:30:00 US/Eastern,1,2,1,2,5\n`, {}, 'DATA_INVALID', /its offset from UTC, such as -05:00/],
  ['a volume that is a word', `${ROWS}2020-01-02,1,2,1,2,N/A\n`, {}, 'DATA_INVALID', /"N\/A" as volume.*--columns volume=/],
  ['a compact hour of 24 later on', `${ROWS}${Array.from({ length: 300 }, (_, i) => `${2000 + i % 100}0102${String(Math.floor(i / 100)).padStart(2, '0')},1,2,1,2,5\n`).join('')}2020010224,1,2,1,2,5\n`, {}, 'DATA_INVALID', /line 302 \(row 301\) has "2020010224" as time/],
  ['a time of day that is none', 'date,time,open,high,low,close\n2020-01-02,09:30,1,2,1,2\n2020-01-02,24:00,1,2,1,2\n', {}, 'DATA_INVALID', /line 3 \(row 2\) has "24:00" as time of day/],
  ['several tickers', 'symbol,date,open,high,low,close\nA,2020-01-02,1,2,1,2\nB,2020-01-02,1,2,1,2\nA,2020-01-03,1,2,1,2\nC,x,1,2,1,2\n', {}, 'DATA_FORMAT', /has bars of several tickers: A, B, C\. Say which one with --ticker A/],
  ['several tickers, one after the other', `date,open,high,low,close,volume,Name\n${'AB'.repeat(1).split('').map((name) => `2020-01-02,1,2,1,2,5,${name}\n2020-01-03,1,2,1,2,5,${name}\n`).join('')}`, {}, 'DATA_FORMAT', /several tickers: A, B\./],
  ['several tickers beside each other', 'Price,Close,Close,High,High,Low,Low,Open,Open\nTicker,A,B,A,B,A,B,A,B\nDate,,,,,,,,\n2020-01-02,2,2,2,2,1,1,1,1\n', {}, 'DATA_FORMAT', /several tickers: A, B\./],
  ['a ticker that is not there', 'symbol,date,open,high,low,close\nA,2020-01-02,1,2,1,2\nB,2020-01-02,1,2,1,2\n', { ticker: 'D' }, 'DATA_EMPTY', /no bar of the ticker "D", but of A, B/],
  ['a ticker in a file without tickers', `${ROWS}2020-01-02,1,2,1,2,5\n`, { ticker: 'D' }, 'DATA_FORMAT', /no column tells tickers apart/],
  ['a header that is not there', `${ROWS}2020-01-02,1,2,1,2,5\n`, VOLUMELESS, 'DATA_FORMAT', /--columns\) names "Eröffnung", and the columns are "date", "open"/],
  ['German headers', 'Datum;Eröffnung;Hoch;Tief;Schluss\n2020-01-02;1;2;1;2\n', {}, 'DATA_FORMAT', /names "Datum", "Eröffnung".*no column for time, open, high, low, close.*--columns open=/],
  ['volume of -1', `${ROWS}2020-01-02,1,2,1,2,-1\n`, {}, 'DATA_INVALID', /has the volume -1, by which Interactive Brokers says that it has none/],
  ['a comma that could be two things', 'date;open;high;low;close\n2020-01-02;1,234;2;1;2\n', {}, 'DATA_INVALID', /"1,234" as open, which is not a number: 1234 or 1\.234/],
  ['null rows', `${ROWS}2020-01-02,1,2,1,2,5\n2020-01-03,null,null,null,null,null\n`, {}, 'DATA_INVALID', /line 3 \(row 2\) has "null" as open.*--skip-bad/],
  ['too many bad rows', `${ROWS}${Array.from({ length: 40 }, (_, i) => `2020-02-${String(i % 28 + 1).padStart(2, '0')},${i % 5 === 0 ? 'null' : 1},2,1,2,5\n`).slice(0, 28).join('')}x\ny\n`, { skip_bad: true }, 'DATA_INVALID', /has 8 bad rows of 30, and at most 3 may be left out \(10 %\)/],
  ['more bad rows than was said', `${ROWS}2020-01-02,1,2,1,2,5\nx\n`, { skip_bad: 0.4 }, 'DATA_INVALID', /1 bad rows of 2, and at most 0 may/],
  ['no row but bad ones', `${ROWS}x\n`, { skip_bad: true }, 'DATA_INVALID', /1 bad rows of 1/],
  ['a key that is none', ROWS, { tickers: 'A' } as Reading, 'SPEC_INVALID', /Unknown key "reading\.tickers"/],
  ['a date format that is none', ROWS, { date_format: 'american' }, 'SPEC_INVALID', /must name year, month and day once each/],
])('refused: %s', (_, text, reading, code, message) => {
  const read = (): unknown => parseCsv(new TextEncoder().encode(text), 'x.csv', reading)
  expect(read).toThrow(expect.objectContaining({ code }))
  expect(read).toThrow(message)
})

test('bad rows of many kinds are left out, counted and listed, in either direction', () => {
  const rows = Array.from({ length: 60 }, (_, i) => `${new Date(Date.UTC(2020, 0, 1 + i)).toISOString().slice(0, 10)},1,2,1,2,5`)
  rows.splice(50, 0, rows[49]!, 'Total,,,,,', '2020-01-05,1,2,1,2,5', '2020-02-20,1,1,2,1,5')
  for (const order of [rows, rows.toReversed()]) {
    const bars = parseCsv(new TextEncoder().encode(ROWS + order.join('\n')), 'x.csv', { skip_bad: true })
    expect(bars.length).toBe(60)
    expect(bars.meta.warnings.join()).toMatch(/4 of 64 rows of x\.csv cannot be bars and were left out: .*line \d+ repeats the time of line \d+/)
  }
})

test('a file in the older encoding of umlauts', () => {
  const text = Buffer.from('Datum;Eröffnung;high;low;close\n2020-01-02;1;2;1;2\n', 'latin1')
  expect(parseCsv(text, 'x.csv', { columns: { time: 'Datum', open: 'Eröffnung' } }).open[0]).toBe(1)
})

test('counts that put bars less than a second apart are said', () => {
  const bars = parseCsv(new TextEncoder().encode(`${ROWS}1577957400000,1,2,1,2,5\n1577957400100,1,2,1,2,5\n`), 'x.csv')
  expect(bars.meta.warnings.join()).toMatch(/counts since 1970, and so its bars lie 100 ms apart/)
})
