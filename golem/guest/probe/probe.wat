;; What a program can see and do where WebAssembly is all it is given: probe.py, as far as there are words for it here.
;; Of users, processes, rights and interfaces a program can't even ask. It tries what it can: files, folders, variables.
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_unlink_file" (func $unlink (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)

  ;; each text begins at its own address and ends before a zero
  (data (i32.const 0x100) "{\"environments\":[],\"inside\":{\"is_root\":false,\"may_gain\":false,\"is_filtered\":true,\"capabilities\":\"\",\"network\":[],\"strangers\":0,\"writes\":[\00")
  (data (i32.const 0x200) "],\"reads\":[\00")
  (data (i32.const 0x220) "],\"doors\":[\00")
  (data (i32.const 0x240) "]}}\00")
  (data (i32.const 0x260) "probe-was-here\00")
  (data (i32.const 0x300) "/in\00")
  (data (i32.const 0x310) "/out\00")
  (data (i32.const 0x320) "/etc/passwd\00")
  (data (i32.const 0x340) "../../../../../../../../etc/passwd\00")
  (data (i32.const 0x370) "../../../../../../../../proc/self/environ\00")
  (data (i32.const 0x3a0) "..\00")
  (data (i32.const 0x3b0) "a third folder\00")
  (data (i32.const 0x3d0) "environ\00")

  (global $end (mut i32) (i32.const 0x2000)) ;; of what is to be said
  (global $items (mut i32) (i32.const 0)) ;; in the list that is being said

  (func $put (param $char i32)
    (i32.store8 (global.get $end) (local.get $char))
    (global.set $end (i32.add (global.get $end) (i32.const 1))))

  (func $length (param $text i32) (result i32) (local $at i32)
    (local.set $at (local.get $text))
    (block $done (loop $next
      (br_if $done (i32.eqz (i32.load8_u (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next)))
    (i32.sub (local.get $at) (local.get $text)))

  (func $say (param $text i32)
    (block $done (loop $next
      (br_if $done (i32.eqz (i32.load8_u (local.get $text))))
      (call $put (i32.load8_u (local.get $text)))
      (local.set $text (i32.add (local.get $text) (i32.const 1)))
      (br $next))))

  (func $list (param $text i32) ;; end a list and begin another
    (call $say (local.get $text))
    (global.set $items (i32.const 0)))

  (func $item (param $text i32)
    (if (global.get $items) (then (call $put (i32.const 44))))
    (global.set $items (i32.const 1))
    (call $put (i32.const 34))
    (call $say (local.get $text))
    (call $put (i32.const 34)))

  (func $open (param $folder i32) (param $path i32) (param $how i32) (param $rights i64) (result i32)
    (i32.eqz (call $path_open (local.get $folder) (i32.const 1) (local.get $path) (call $length (local.get $path))
      (local.get $how) (local.get $rights) (i64.const 0) (i32.const 0) (i32.const 0x20))))

  (func $writes (param $folder i32) (param $name i32) ;; create a file, write right, and remove it
    (if (call $open (local.get $folder) (i32.const 0x260) (i32.const 1) (i64.const 0x40))
      (then
        (call $item (local.get $name))
        (drop (call $unlink (local.get $folder) (i32.const 0x260) (i32.const 14))))))

  (func $reads (param $path i32) ;; read right, from either folder
    (if (i32.or
          (call $open (i32.const 3) (local.get $path) (i32.const 0) (i64.const 2))
          (call $open (i32.const 4) (local.get $path) (i32.const 0) (i64.const 2)))
      (then (call $item (local.get $path)))))

  (func (export "_start")
    (call $list (i32.const 0x100))
    (call $writes (i32.const 3) (i32.const 0x300))
    (call $writes (i32.const 4) (i32.const 0x310))
    (call $list (i32.const 0x200))
    (call $reads (i32.const 0x320))
    (call $reads (i32.const 0x340))
    (call $reads (i32.const 0x370))
    (call $reads (i32.const 0x3a0))
    (call $list (i32.const 0x220))
    (if (i32.eqz (call $prestat (i32.const 5) (i32.const 0x20))) (then (call $item (i32.const 0x3b0))))
    (drop (call $environ (i32.const 0x20) (i32.const 0x24)))
    (if (i32.load (i32.const 0x20)) (then (call $item (i32.const 0x3d0))))
    (call $say (i32.const 0x240))
    (i32.store (i32.const 0x10) (i32.const 0x2000))
    (i32.store (i32.const 0x14) (i32.sub (global.get $end) (i32.const 0x2000)))
    (drop (call $write (i32.const 1) (i32.const 0x10) (i32.const 1) (i32.const 0x18)))))
