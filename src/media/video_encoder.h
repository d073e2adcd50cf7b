#pragma once

#include <functional>

#include "media/libav.h"
#include "media/video_writer.h"

namespace t2v {

/// `fps` as the exact fraction it stands for: 23.976, 29.97 and their like are 24000/1001, 30000/1001.
/// Error (kUsage) outside 0.01 to 1000.
AVRational frame_rate(double fps);

/// RGB frames -> packets: H.264 in BT.709 limited range, or FFV1 in RGB when the quality is lossless.
class VideoEncoder {
 public:
  /// Called with each packet; its times are in codec().time_base. It may take the packet's content.
  using OnPacket = std::function<void(AVPacket&)>;

  /// `doing` begins this encoder's errors. Error (kUsage) for a size or rate that cannot be encoded,
  /// (kOutput) without the encoder. `global_header`: the container wants the codec's header apart from the
  /// packets.
  VideoEncoder(const VideoSettings& settings, std::string doing, bool global_header);

  const AVCodecContext& codec() const { return *codec_; }

  /// One frame, [height][width][3].
  void encode(const uint8_t* rgb, const OnPacket& on_packet);
  /// The packets that are still inside.
  void finish(const OnPacket& on_packet);

 private:
  void set_h264(const VideoSettings& settings);
  void set_ffv1();
  void set_option(const char* name, const std::string& value);
  void send(const AVFrame* frame, const OnPacket& on_packet);

  std::string doing_;
  CodecPtr codec_;
  FramePtr frame_;
  PacketPtr packet_;
  ScalerPtr scaler_;
};

}  // namespace t2v
