import Dispatch
import FoundationEssentials
import Glibc

/// libFuzzer's call. A finding ends the process, and libFuzzer keeps the input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard count <= MessageFuzzer.maximumInputBytes else { return -1 }
    let input = Array(UnsafeBufferPointer(start: data, count: count))
    let done = DispatchSemaphore(value: 0)
    // libFuzzer's own thread waits here: it is none of the pool's.
    Task {
        do {
            try await MessageFuzzer.run(input)
        } catch {
            fatalError("finding: \(error)")
        }
        done.signal()
    }
    done.wait()
    return 0
}

/// libFuzzer's call at the start. `--seeds FOLDER OFFICIAL` writes new seeds for the corpus, those of the official
/// SDK's messages in a second folder included, and ends.
@_cdecl("LLVMFuzzerInitialize")
public func fuzzInitialize(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>
) -> CInt {
    guard count.pointee == 4, let list = arguments.pointee, let flag = list[1], String(cString: flag) == "--seeds",
        let folder = list[2].map({ String(cString: $0) }), let source = list[3].map({ String(cString: $0) })
    else { return 0 }
    let done = DispatchSemaphore(value: 0)
    Task {
        do {
            let official = try FileManager.default.contentsOfDirectory(atPath: source).sorted().map { name in
                (name, [UInt8](try Data(contentsOf: URL(filePath: "\(source)/\(name)"))))
            }
            for (name, seed) in try await FuzzSeeds.all(official: official) {
                try Data(seed).write(to: URL(filePath: "\(folder)/\(name)"))
            }
        } catch {
            fatalError("the seeds could not be written: \(error)")
        }
        done.signal()
    }
    done.wait()
    exit(0)
}
