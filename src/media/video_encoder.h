#pragma once

#include <functional>
#include <string>

#include "media/clip_writer.h"
#include "media/formats/encoding.h"
#include "media/libav.h"

namespace t2v {

/// The exact fraction that `fps` means: 24000/1001 for 23.976, 30000/1001 for 29.97, and so on.
/// Error (kUsage) outside 0.01 to 1000.
AVRational frame_rate(double fps);

/// Encodes RGB frames as packets. YUV is BT.709 of limited range.
class VideoEncoder {
 public:
  /// Converts one frame, [height][width][3], to the encoder's picture.
  using Convert = std::function<void(const uint8_t* rgb, AVFrame& picture)>;
  /// Called with each packet; its times are in codec().time_base. It may take the packet's content.
  using OnPacket = std::function<void(AVPacket&)>;

  /// `doing` begins the text of errors. `global_header`: the container stores the codec's header apart from
  /// the packets. `convert`: empty for swscale. Error (kUsage) for a size or rate that cannot be encoded,
  /// (kOutput) if FFmpeg lacks the encoder.
  VideoEncoder(const ClipSettings& settings, const ChosenEncoding& encoding, std::string doing,
               bool global_header, Convert convert = {});

  const AVCodecContext& codec() const { return *codec_; }

  /// Encodes one frame, [height][width][3].
  void encode(const uint8_t* rgb, const OnPacket& on_packet);
  /// Gives out the packets that are still inside the encoder.
  void finish(const OnPacket& on_packet);

 private:
  void set_format(const ChosenEncoding& encoding);
  void set_codec(const ChosenEncoding& encoding);
  void set_option(const char* name, const std::string& value);
  void send(const AVFrame* frame, const OnPacket& on_packet);

  std::string doing_;
  CodecPtr codec_;
  FramePtr frame_;
  PacketPtr packet_;
  Convert convert_;
};

}  // namespace t2v
