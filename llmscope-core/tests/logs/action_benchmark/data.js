window.BENCHMARK_DATA = {
  "lastUpdate": 1768557600000,
  "repoUrl": "https://example.com/repo",
  "entries": {
    "Rust": [
      {
        "commit": {
          "author": {
            "name": "A",
            "username": "a",
            "email": "a@example.com"
          },
          "id": "0000000000000000000000000000000000000001",
          "message": "change 0",
          "timestamp": "2025-12-30T00:00:00Z",
          "url": "https://example.com/commit/0"
        },
        "date": 1767607200000,
        "tool": "cargo",
        "benches": [
          {
            "name": "parse",
            "value": 36912,
            "range": "± 727",
            "unit": "ns/iter"
          }
        ]
      },
      {
        "commit": {
          "author": {
            "name": "A",
            "username": "a",
            "email": "a@example.com"
          },
          "id": "0000000000000000000000000000000000000002",
          "message": "change 1",
          "timestamp": "2025-12-29T00:00:00Z",
          "url": "https://example.com/commit/1"
        },
        "date": 1767693600000,
        "tool": "cargo",
        "benches": [
          {
            "name": "parse",
            "value": 36655,
            "range": "± 727",
            "unit": "ns/iter"
          }
        ]
      },
      {
        "commit": {
          "author": {
            "name": "A",
            "username": "a",
            "email": "a@example.com"
          },
          "id": "0000000000000000000000000000000000000003",
          "message": "change 2",
          "timestamp": "2025-12-28T00:00:00Z",
          "url": "https://example.com/commit/2"
        },
        "date": 1767780000000,
        "tool": "cargo",
        "benches": [
          {
            "name": "parse",
            "value": 37398,
            "range": "± 727",
            "unit": "ns/iter"
          }
        ]
      },
      {
        "commit": {
          "author": {
            "name": "A",
            "username": "a",
            "email": "a@example.com"
          },
          "id": "0000000000000000000000000000000000000004",
          "message": "change 3",
          "timestamp": "2025-12-27T00:00:00Z",
          "url": "https://example.com/commit/3"
        },
        "date": 1767866400000,
        "tool": "cargo",
        "benches": [
          {
            "name": "parse",
            "value": 36538,
            "range": "± 727",
            "unit": "ns/iter"
          }
        ]
      },
      {
        "commit": {
          "author": {
            "name": "A",
            "username": "a",
            "email": "a@example.com"
          },
          "id": "0000000000000000000000000000000000000005",
          "message": "change 4",
          "timestamp": "2025-12-26T00:00:00Z",
          "url": "https://example.com/commit/4"
        },
        "date": 1767952800000,
        "tool": "cargo",
        "benches": [
          {
            "name": "parse",
            "value": 37227,
            "range": "± 727",
            "unit": "ns/iter"
          }
        ]
      },
      {
        "commit": {
          "author": {
            "name": "A",
            "username": "a",
            "email": "a@example.com"
          },
          "id": "0000000000000000000000000000000000000006",
          "message": "change 5",
          "timestamp": "2025-12-25T00:00:00Z",
          "url": "https://example.com/commit/5"
        },
        "date": 1768039200000,
        "tool": "cargo",
        "benches": [
          {
            "name": "parse",
            "value": 36974,
            "range": "± 727",
            "unit": "ns/iter"
          }
        ]
      },
      {
        "commit": {
          "author": {
            "name": "A",
            "username": "a",
            "email": "a@example.com"
          },
          "id": "0000000000000000000000000000000000000007",
          "message": "change 6",
          "timestamp": "2025-12-24T00:00:00Z",
          "url": "https://example.com/commit/6"
        },
        "date": 1768125600000,
        "tool": "cargo",
        "benches": [
          {
            "name": "parse",
            "value": 36517,
            "range": "± 727",
            "unit": "ns/iter"
          }
        ]
      },
      {
        "commit": {
          "author": {
            "name": "A",
            "username": "a",
            "email": "a@example.com"
          },
          "id": "0000000000000000000000000000000000000008",
          "message": "change 7",
          "timestamp": "2025-12-23T00:00:00Z",
          "url": "https://example.com/commit/7"
        },
        "date": 1768212000000,
        "tool": "cargo",
        "benches": [
          {
            "name": "parse",
            "value": 37185,
            "range": "± 727",
            "unit": "ns/iter"
          }
        ]
      },
      {
        "commit": {
          "author": {
            "name": "A",
            "username": "a",
            "email": "a@example.com"
          },
          "id": "0000000000000000000000000000000000000009",
          "message": "change 8",
          "timestamp": "2025-12-22T00:00:00Z",
          "url": "https://example.com/commit/8"
        },
        "date": 1768298400000,
        "tool": "cargo",
        "benches": [
          {
            "name": "parse",
            "value": 36486,
            "range": "± 727",
            "unit": "ns/iter"
          }
        ]
      },
      {
        "commit": {
          "author": {
            "name": "A",
            "username": "a",
            "email": "a@example.com"
          },
          "id": "000000000000000000000000000000000000000a",
          "message": "change 9",
          "timestamp": "2025-12-21T00:00:00Z",
          "url": "https://example.com/commit/9"
        },
        "date": 1768384800000,
        "tool": "cargo",
        "benches": [
          {
            "name": "parse",
            "value": 37075,
            "range": "± 727",
            "unit": "ns/iter"
          }
        ]
      },
      {
        "commit": {
          "author": {
            "name": "A",
            "username": "a",
            "email": "a@example.com"
          },
          "id": "000000000000000000000000000000000000000b",
          "message": "change 10",
          "timestamp": "2025-12-20T00:00:00Z",
          "url": "https://example.com/commit/10"
        },
        "date": 1768471200000,
        "tool": "cargo",
        "benches": [
          {
            "name": "parse",
            "value": 36534,
            "range": "± 727",
            "unit": "ns/iter"
          }
        ]
      },
      {
        "commit": {
          "author": {
            "name": "A",
            "username": "a",
            "email": "a@example.com"
          },
          "id": "000000000000000000000000000000000000000c",
          "message": "change 11",
          "timestamp": "2025-12-19T00:00:00Z",
          "url": "https://example.com/commit/11"
        },
        "date": 1768557600000,
        "tool": "cargo",
        "benches": [
          {
            "name": "parse",
            "value": 36565,
            "range": "± 727",
            "unit": "ns/iter"
          }
        ]
      }
    ],
    "Python": [
      {
        "commit": {
          "id": "0000000000000000000000000000000000000001"
        },
        "date": 1767607200000,
        "tool": "pytest",
        "benches": [
          {
            "name": "test_a.py::test_a",
            "value": 330.5,
            "unit": "iter/sec",
            "range": "stddev: 0.0007",
            "extra": "mean: 3.03 msec\nrounds: 30"
          }
        ]
      },
      {
        "commit": {
          "id": "0000000000000000000000000000000000000002"
        },
        "date": 1767693600000,
        "tool": "pytest",
        "benches": [
          {
            "name": "test_a.py::test_a",
            "value": 331.5,
            "unit": "iter/sec",
            "range": "stddev: 0.0007",
            "extra": "mean: 3.03 msec\nrounds: 30"
          }
        ]
      }
    ],
    "Answers": [
      {
        "commit": {
          "id": "0000000000000000000000000000000000000001"
        },
        "date": 1767607200000,
        "tool": "customBiggerIsBetter",
        "benches": [
          {
            "name": "quality",
            "value": 0.93,
            "unit": "Points"
          }
        ]
      }
    ]
  }
}