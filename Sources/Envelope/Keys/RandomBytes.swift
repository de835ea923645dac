import CLinux

/// Bytes from the kernel's random source for what no cipher sees: names of files in the making.
func randomBytes(_ count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        guard clinux_random(buffer.baseAddress!, count) == 0 else {
            preconditionFailure("The kernel's random source answered with an error.")
        }
        initialized = count
    }
}
