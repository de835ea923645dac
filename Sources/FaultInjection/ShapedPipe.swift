import Glibc
import NIOCore

/// One direction of a connection through the proxy: reads from its channel, writes to the other one when it is time.
///
/// Both channels live on one event loop, and everything here happens on it.
final class ShapedPipe: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// Bytes that wait in one direction before its sender is no longer read from.
    static let waitingBytesMax = 256 << 10

    private let toxics: @Sendable () -> Toxics
    /// Is shown what arrives, before anything happens to it.
    var onArrival: ((ByteBuffer) -> Void)?
    /// The next bytes are an answer that nobody is to have: the connection is reset instead.
    var isSevered = false
    private var generator: SeededChance
    private var shaper = TrafficShaper()
    private var waiting = CircularBuffer<(bytes: ByteBuffer, leavesAt: NIODeadline)>()
    private var waitingBytes = 0
    /// What arrived behind a stall.
    private var stalled = ByteBuffer()
    private var isTimerSet = false
    private var isSwallowing = false
    /// The stream was cut in good order: whatever comes behind is dropped.
    private var isCut = false
    private var inputEnded = false
    private var outputEnded = false
    private var context: ChannelHandlerContext?
    private var other: (any Channel)?

    init(seed: UInt64, toxics: @escaping @Sendable () -> Toxics) {
        self.toxics = toxics
        generator = SeededChance(seed)
    }

    /// Where the bytes go; reading starts with it.
    func connect(to other: any Channel) {
        self.other = other
        context?.channel.setOption(.autoRead, value: true).whenFailure { _ in other.close(promise: nil) }
    }

    /// Looks again after the toxics were changed.
    func toxicsChanged() {
        guard let context else { return }
        if isSwallowing, toxics().ending != .blackHole { return reset() }
        let held = stalled
        stalled = ByteBuffer()
        if held.readableBytes > 0 { take(held) }
        resumeReading(context)
        if inputEnded { flush() }
    }

    func reset() {
        for channel in [context?.channel, other].compactMap({ $0 }) {
            // SO_LINGER with nought makes a close a reset.
            if let options = channel as? any SocketOptionProvider {
                options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in channel.close(promise: nil) }
            } else {
                channel.close(promise: nil)
            }
        }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        take(unwrapInboundIn(data))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed = event as? ChannelEvent { endInput() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        endInput()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A peer that resets is one of the faults that pass through.
        reset()
    }

    private func take(_ arrived: ByteBuffer) {
        guard !isCut else { return }
        if isSevered { return reset() }
        onArrival?(arrived)
        var bytes = arrived
        let toxics = toxics()
        guard stalled.readableBytes == 0 else {
            stalled.writeBuffer(&bytes)
            return
        }
        let plan = shaper.plan(bytes.readableBytes, toxics: toxics, now: .now()) { generator.next() }
        for piece in plan.pieces {
            guard let slice = bytes.readSlice(length: piece.bytes) else { break }
            waiting.append((slice, piece.leavesAt))
            waitingBytes += piece.bytes
        }
        switch plan.ending {
        case .stall:
            stalled = bytes
            pauseReading()
        case .blackHole: isSwallowing = true
        case .reset: return reset()
        case .close:
            (isCut, inputEnded) = (true, true)
        case nil: break
        }
        if waitingBytes > Self.waitingBytesMax { pauseReading() }
        flush()
    }

    private func endInput() {
        guard !inputEnded else { return }
        inputEnded = true
        flush()
    }

    /// Writes what is due, and sets the timer for what is not.
    private func flush() {
        guard let context, let other else { return }
        let now = NIODeadline.now()
        var wrote = false
        while let first = waiting.first, first.leavesAt <= now {
            waiting.removeFirst()
            waitingBytes -= first.bytes.readableBytes
            // A channel that is gone has told the other side itself.
            other.write(first.bytes, promise: nil)
            wrote = true
        }
        if wrote { other.flush() }
        if waitingBytes <= Self.waitingBytesMax / 2, stalled.readableBytes == 0 { resumeReading(context) }
        if let next = waiting.first {
            setTimer(next.leavesAt, context)
        } else if inputEnded, !outputEnded, stalled.readableBytes == 0 {
            let end = shaper.endLeavesAt(toxics: toxics(), now: now)
            guard end <= now else { return setTimer(end, context) }
            outputEnded = true
            other.close(mode: isCut ? .all : .output, promise: nil)
        }
    }

    private func setTimer(_ deadline: NIODeadline, _ context: ChannelHandlerContext) {
        guard !isTimerSet else { return }
        isTimerSet = true
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
            bound.value.isTimerSet = false
            bound.value.flush()
        }
    }

    private func pauseReading() {
        context?.channel.setOption(.autoRead, value: false).whenFailure { _ in }
    }

    private func resumeReading(_ context: ChannelHandlerContext) {
        guard other != nil else { return }
        context.channel.setOption(.autoRead, value: true).whenFailure { _ in }
    }
}
