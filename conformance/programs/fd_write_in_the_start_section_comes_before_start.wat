;; fd_write: a start section may call, and sees the memory as its data segments left it. [ours]
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\20\00\00\00\06\00\00\00")  ;; the six bytes at 32
  (data (i32.const 8) "\26\00\00\00\05\00\00\00")  ;; the five bytes at 38
  (data (i32.const 32) "first\nthen\n")
  (func $write (param $iovec i32)
    (drop (call $fd_write (i32.const 1) (local.get $iovec) (i32.const 1) (i32.const 16))))
  (func $first (call $write (i32.const 0)))
  (start $first)
  (func (export "_start") (call $write (i32.const 8))))
