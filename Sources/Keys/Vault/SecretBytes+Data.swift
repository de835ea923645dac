import FoundationEssentials
import Secrets

extension SecretBytes {
    /// Moves what a cipher opened into locked memory and overwrites the cipher's own buffer.
    init(moving data: inout Data) {
        self.init(count: data.count) { target in
            data.withUnsafeMutableBytes { source in
                target.copyMemory(from: UnsafeRawBufferPointer(source))
                wipe(source)
            }
        }
    }
}
