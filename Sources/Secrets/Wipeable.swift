/// Something that holds key material and can be told to forget it, by whoever loses the right to hold it.
/// Later uses throw; wiping twice does nothing.
package protocol Wipeable: AnyObject, Sendable {
    func wipe()
}

extension SharedSecret: Wipeable {}
