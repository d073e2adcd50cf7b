#pragma once

#include <functional>
#include <string>

#include "media/encoding.h"
#include "media/libav.h"
#include "media/video_writer.h"

namespace t2v {

/// `fps` as the exact fraction it stands for: 23.976, 29.97 and their like are 24000/1001, 30000/1001.
/// Error (kUsage) outside 0.01 to 1000.
AVRational frame_rate(double fps);

/// RGB frames -> packets. YUV is BT.709 of limited range.
class VideoEncoder {
 public:
  /// Puts one frame, [height][width][3], into the encoder's picture.
  using Convert = std::function<void(const uint8_t* rgb, AVFrame& picture)>;
  /// Called with each packet; its times are in codec().time_base. It may take the packet's content.
  using OnPacket = std::function<void(AVPacket&)>;

  /// `doing` begins this encoder's errors. Error (kUsage) for a size or rate that cannot be encoded,
  /// (kOutput) without the encoder. `global_header`: the container wants the codec's header apart from the
  /// packets. `convert`: empty, swscale.
  VideoEncoder(const VideoSettings& settings, const ChosenEncoding& encoding, std::string doing,
               bool global_header, Convert convert = {});

  const AVCodecContext& codec() const { return *codec_; }

  /// One frame, [height][width][3].
  void encode(const uint8_t* rgb, const OnPacket& on_packet);
  /// The packets that are still inside.
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
