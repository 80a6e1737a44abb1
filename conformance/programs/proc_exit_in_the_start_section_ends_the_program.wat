;; proc_exit: a start section that exits ends the program before _start. [ours]
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (func $first (call $proc_exit (i32.const 5)))
  (start $first)
  (func (export "_start") (call $proc_exit (i32.const 1))))
