;; clock_time_get, random_get, args_sizes_get: in a memory of 0 pages every pointer is bad, 0 bytes are none. [spec: errno fault]
(module
  (import "wasi_snapshot_preview1" "clock_time_get"
    (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get"
    (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 0)
  (func $expect (param $errno i32) (param $got i32)
    (if (i32.ne (local.get $errno) (local.get $got))
      (then (call $proc_exit (i32.const 1)))))
  (func (export "_start")
    (call $expect (i32.const 21) (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 0)))
    (call $expect (i32.const 21) (call $random_get (i32.const 0) (i32.const 1)))
    (call $expect (i32.const 0) (call $random_get (i32.const 0) (i32.const 0)))
    (call $expect (i32.const 21) (call $args_sizes_get (i32.const 0) (i32.const 4)))))
